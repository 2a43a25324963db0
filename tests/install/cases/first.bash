# shellcheck shell=bash
# shellcheck disable=SC2016 # what is quoted runs in the box
# The first install on a bare server, once interrupted in the middle.

# Ctrl-C while apt installs packages; the next run has to get over what dpkg left.
interrupted_install() {
  section "interrupted"
  in_box_sh "cat >/tmp/interrupted.sh <<'SH'
cd /home/admin/paas
echo \$\$ >/tmp/interrupted.pid
exec env --default-signal=INT setsid ./install.sh --binary ../paas-binary --domain $domain >/tmp/interrupted.out 2>&1
SH
setsid -f bash -c 'bash /tmp/interrupted.sh; echo \$? >/tmp/interrupted.rc' >/dev/null 2>&1 </dev/null"
  check "apt is at work" within 120 in_box grep -qs '^Unpacking' /var/log/paas-install.log
  in_box_sh 'kill -INT -- "-$(cat /tmp/interrupted.pid)"'
  check "it ends" within 60 exists /tmp/interrupted.rc
  equal "with 130" 130 "$(in_box cat /tmp/interrupted.rc)"
  contains "and says to run it again" "$(in_box cat /tmp/interrupted.out)" 'Run install.sh again'
}

first_install() {
  local output unit
  section "first install, with the example app"
  check "install.sh succeeds" installer --domain "$domain" --example
  output=$said
  contains "it prints the example's URL" "$output" "The example app answers: http://hello\.$domain\$"
  contains "it prints what to type next" "$output" "git remote add deploy paas@$domain:myapp"
  contains "it says whose terms hold" "$output" "Let's Encrypt.*https://letsencrypt\.org/repository/"
  contains "it took admin's key" "$output" 'Added ssh key admin '
  for unit in paas.service paas-proxy.service paas-proxy.socket paas-proxy-https.socket docker.service; do
    check "$unit is active" active "$unit"
    check "$unit is enabled" in_box systemctl is-enabled --quiet "$unit"
  done
  check "paas status" in_box paas status
  equal "the example app answers" 200 "$(status_of hello)"
  contains "with its page" "$(body_of hello)" '<h1>It works'
  equal "an unknown host gets 404" 404 "$(status_of unknown)"
  refuse "the example's temporary key is gone" in_box grep -q install-example /var/lib/paas/ssh/authorized_keys
  equal "no scratch directory stays" "" "$(in_box find /tmp -maxdepth 1 -name 'tmp.*')"
}

what_lies_where() {
  section "files, owners, users"
  equal "paas.toml" "root:root 644" "$(owner_and_mode /etc/paas/paas.toml)"
  equal "the binary" "root:root 755" "$(owner_and_mode /usr/local/bin/paas)"
  equal "the data directory" "root:root 755" "$(owner_and_mode /var/lib/paas)"
  equal "the database" "root:root 600" "$(owner_and_mode /var/lib/paas/paas.db)"
  equal "the key" "root:root 600" "$(owner_and_mode /var/lib/paas/secret.key)"
  equal "the repositories" "paas:paas 750" "$(owner_and_mode /var/lib/paas/repos)"
  equal "the hooks" "root:root 755" "$(owner_and_mode /var/lib/paas/hooks)"
  equal "the keys' directory" "root:root 755" "$(owner_and_mode /var/lib/paas/ssh)"
  equal "authorized_keys" "root:root 644" "$(owner_and_mode /var/lib/paas/ssh/authorized_keys)"
  equal "the proxy's directory" "paas-proxy:paas-proxy 700" "$(owner_and_mode /var/lib/paas/proxy)"
  equal "control's socket" "root:paas 660" "$(owner_and_mode /run/paas/paas.sock)"
  equal "the proxy's socket directory" "paas-proxy:paas-proxy 700" "$(owner_and_mode /run/paas/proxy)"
  equal "paas has a shell for sshd" /bin/sh "$(in_box_sh 'getent passwd paas | cut -d: -f7')"
  equal "paas has no password and is not locked" '*' "$(in_box_sh 'getent shadow paas | cut -d: -f2')"
  equal "the proxy is paas-proxy's" paas-proxy "$(in_box_sh 'ps -o user:20= -p "$(systemctl show -p MainPID --value paas-proxy)" | tr -d " "')"
  equal "the proxy has no capability" 0000000000000000 "$(in_box_sh 'awk "/^CapPrm/ {print \$2}" /proc/"$(systemctl show -p MainPID --value paas-proxy)"/status')"
  refuse "the proxy's socket is closed to paas" in_box runuser -u paas -- test -x /run/paas/proxy
  refuse "the engine's socket is closed to paas" in_box runuser -u paas -- test -w /var/run/docker.sock
}

who_may_what() {
  section "ssh"
  check "admin's key runs commands" ssh_paas apps:list
  refuse "and starts no shell" ssh_paas sh -c id
  refuse "a key in ~paas is not taken" in_box_sh 'install -d -o paas /var/lib/paas/home/.ssh 2>/dev/null && ssh -o BatchMode=yes -i /etc/ssh/ssh_host_ed25519_key paas@127.0.0.1 version'
  in_box rm -rf /var/lib/paas/home/.ssh
  refuse "no port is forwarded" as_admin 'ssh -o BatchMode=yes -o ExitOnForwardFailure=yes -N -R 9999:127.0.0.1:80 paas@127.0.0.1'
  refuse "no password is asked" as_admin 'ssh -o BatchMode=yes -o PubkeyAuthentication=no paas@127.0.0.1 version'
  contains "admin's own login is as it was" "$(in_box sshd -T -C user=admin,host=x,addr=127.0.0.1)" '^authorizedkeysfile \.ssh/authorized_keys'
  check "admin's other key, which has options, was not taken" fails in_box grep -q provider /var/lib/paas/ssh/authorized_keys
}
