# shellcheck shell=bash
# shellcheck disable=SC2016 # what is quoted runs in the box
# What the tests ask the box.

readonly domain=apps.test

installer() { as_admin "cd paas && ./install.sh --binary ../paas-binary $*"; }

# The status of GET http://NAME/PATH from the box's own port 80 (or $3).
status_of() { in_box curl -s -o /dev/null -w '%{http_code}' --max-time 10 -H "Host: $1.$domain" "http://127.0.0.1:${3:-80}${2:-/}"; }

body_of() { in_box curl -s --max-time 10 -H "Host: $1.$domain" "http://127.0.0.1${2:-/}"; }

# The server's own root, where curl can take it; again after every installation on empty data.
readonly root_file=/home/admin/root.pem
trust_root() { in_box_sh "paas certs:ca >$root_file; chmod 0644 $root_file"; }

# The status of GET https://NAME/PATH at the box's own port 443 (or $3), by a certificate of the own authority.
tls_status_of() {
  local port=${3:-443} name=$1.$domain
  in_box curl -s -o /dev/null -w '%{http_code}' --max-time 10 --cacert "$root_file" --resolve "$name:$port:127.0.0.1" "https://$name:$port${2:-/}"
}

answers_tls() { [ "$(tls_status_of "$@")" = 200 ]; }

answers() { [ "$(status_of "$@")" = 200 ]; }

active() { in_box systemctl is-active --quiet "$@"; }

exists() { in_box test -e "$1"; }

# ssh as admin with the key made for the test.
ssh_paas() { as_admin "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o LogLevel=ERROR paas@127.0.0.1 $*"; }

# Everything that a second run may not change, one line each.
state_of_box() {
  in_box_sh '
    sha256sum /etc/paas/paas.toml /var/lib/paas/ssh/authorized_keys /var/lib/paas/secret.key /usr/local/bin/paas
    sha256sum /etc/systemd/system/paas* /etc/ssh/sshd_config /etc/ssh/sshd_config.d/paas.conf 2>/dev/null || true
    stat -c "%n %i %y" /etc/paas/paas.toml /etc/systemd/system/paas.service /etc/ssh/sshd_config.d/paas.conf
    systemctl show -p MainPID --value paas.service paas-proxy.service
    docker ps -aq --no-trunc | sort
    getent passwd paas paas-proxy; getent shadow paas'
}

owner_and_mode() { in_box stat -c '%U:%G %a' "$1"; }

things_of_ours() {
  in_box_sh 'docker ps -aq --filter label=dev.paas.instance; docker network ls -q --filter label=dev.paas.instance
    docker volume ls -q --filter label=dev.paas.instance; docker images -q --filter label=dev.paas.instance'
}

# load_begin FILE: requests without end, three at a time, each on a connection of its own; one line each in FILE: status, curl's exit.
load_begin() {
  in_box_sh "rm -f /tmp/load.stop $1; for n in 1 2 3; do
    setsid -f bash -c 'while [ ! -e /tmp/load.stop ]; do
      curl -s -o /dev/null -w \"%{http_code} %{exitcode}\n\" --max-time 20 -H \"Host: hello.$domain\" http://127.0.0.1/ >>$1; done; echo end >>$1.ended' >/dev/null 2>&1 </dev/null
  done"
  within 20 enough_lines "$1" 50
}

# Waits for another hundred answers, so that the load spans what happened, and ends it.
load_end() {
  local now
  now=$(in_box_sh "wc -l <$1")
  within 60 enough_lines "$1" $((now + 100))
  in_box touch /tmp/load.stop
  within 30 enough_lines "$1.ended" 3
  in_box rm -f "$1.ended"
}

enough_lines() { [ "$(in_box_sh "cat $1 2>/dev/null | wc -l")" -ge "$2" ]; }

# How many lines of FILE do not match PATTERN.
count_not() { in_box_sh "grep -cvE '$2' $1 || true"; }

make_admin_key() {
  as_admin 'mkdir -p -m 0700 ~/.ssh && ssh-keygen -q -t ed25519 -N "" -f ~/.ssh/id_ed25519' 2>/dev/null ||
    make_admin_key_here
  as_admin '{ echo "# keys of admin"; echo "command=\"echo no\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA provider"
    cat ~/.ssh/id_ed25519.pub; } >~/.ssh/authorized_keys'
}

# A bare box has no ssh-keygen yet.
make_admin_key_here() {
  local dir
  dir=$(mktemp -d)
  ssh-keygen -q -t ed25519 -N '' -C admin@laptop -f "$dir/key"
  as_admin 'umask 077; cat >~/.ssh/id_ed25519' <"$dir/key"
  as_admin 'cat >~/.ssh/id_ed25519.pub' <"$dir/key.pub"
  rm -rf -- "$dir"
}
