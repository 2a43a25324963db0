# shellcheck shell=bash
# The login of user `paas`: one drop-in, checked before sshd reads it, taken away again when sshd does not like it.

readonly sshd_main=/etc/ssh/sshd_config
readonly drop_in=/etc/ssh/sshd_config.d/paas.conf
readonly include_line="Include $drop_in # added by paas's install.sh"

configure_sshd() {
  before=''
  prepare_sshd
  check_own_sshd_config
  if ! cmp -s -- "$here/systemd/sshd.conf" "$drop_in"; then
    step "Letting git in: $drop_in"
    if [ -e "$drop_in" ]; then before=$(cat -- "$drop_in"); fi
    install -d -m 0755 "${drop_in%/*}"
    drop_in_unchecked=1
    put_file "$here/systemd/sshd.conf" "$drop_in" 0644
    if ! sshd_accepts || ! drop_in_works; then refuse_drop_in; fi
    drop_in_unchecked=''
    reload_sshd
  elif ! drop_in_works; then
    before=$(cat -- "$drop_in")
    refuse_drop_in
  fi
  ensure_sshd_runs
}

prepare_sshd() {
  install -d -m 0755 /run/sshd
  run_logged "making sshd's host keys" ssh-keygen -A
}

# With a broken configuration of the machine's own nothing of ours can be judged, and a reload would stop ssh altogether.
check_own_sshd_config() {
  local complaint
  if sshd_accepts; then return 0; fi
  complaint=$(sshd_complaint)
  # Perhaps it is an older drop-in of ours that this sshd does not know. If not, it stays.
  if [ -e "$drop_in" ]; then
    mv -f -- "$drop_in" "$drop_in.aside"
    if sshd_accepts; then
      rm -f -- "$drop_in.aside"
      return 0
    fi
    mv -f -- "$drop_in.aside" "$drop_in"
  fi
  die "sshd does not accept this server's own configuration; paas changed nothing in it:
$complaint
Repair $sshd_main and run install.sh again."
}

sshd_accepts() { /usr/sbin/sshd -t 2>/dev/null; }
sshd_complaint() { /usr/sbin/sshd -t 2>&1 | tail -n 5 || true; }

# What sshd itself says about a login of `paas` decides, not what the files look like.
drop_in_works() {
  sshd_uses_our_keys && return 0
  # Installed by hand or long ago, sshd_config may include no drop-ins: then one line at its top does it.
  if ! grep -qiE '^[[:space:]]*include[[:space:]]+"?/etc/ssh/sshd_config\.d/' "$sshd_main"; then
    info "$sshd_main includes no drop-ins: adding one line at its top."
    { printf '%s\n' "$include_line" && cat -- "$sshd_main"; } >"$sshd_main.paas-new"
    replace_sshd_main
  fi
  sshd_accepts && sshd_uses_our_keys
}

sshd_uses_our_keys() {
  local effective
  effective=$(/usr/sbin/sshd -T -C user=paas,host=localhost,addr=127.0.0.1 2>/dev/null) || return 1
  grep -qxi "authorizedkeysfile $data_dir/ssh/authorized_keys" <<<"$effective"
}

refuse_drop_in() {
  local complaint
  complaint=$(sshd_complaint)
  : "${complaint:=Another Match block in $sshd_main or ${drop_in%/*} decides about user paas before ours does.}"
  undo_drop_in
  die "sshd does not take paas's part of its configuration; it was removed again and sshd was not reloaded.
$complaint
Repair that and run install.sh again."
}

# Also from the exit trap: whatever ends us, sshd never starts with something it was not asked about.
undo_drop_in() {
  drop_in_unchecked=''
  remove_drop_in
  [ -n "$before" ] || return 0
  # What was there before may still be what sshd runs with.
  printf '%s\n' "$before" >"$drop_in"
  if ! sshd_accepts || ! sshd_uses_our_keys; then remove_drop_in; fi
}

remove_drop_in() {
  rm -f -- "$drop_in"
  if grep -qxF "$include_line" "$sshd_main" 2>/dev/null; then
    grep -vxF "$include_line" "$sshd_main" >"$sshd_main.paas-new" || true
    replace_sshd_main
  fi
}

replace_sshd_main() {
  chmod --reference="$sshd_main" -- "$sshd_main.paas-new"
  chown --reference="$sshd_main" -- "$sshd_main.paas-new"
  mv -f -- "$sshd_main.paas-new" "$sshd_main"
}

# put_file FROM TO MODE: atomic, so that no reader ever sees half a file.
put_file() {
  install -m "$3" -o root -g root -- "$1" "$2.paas-new"
  mv -f -- "$2.paas-new" "$2"
}

# With socket activation (Ubuntu 24.04) sshd may not run now; then there is nothing to reload.
reload_sshd() {
  if has_systemd; then
    run_logged "reloading sshd" systemctl try-reload-or-restart ssh.service
  else
    reload_plain_sshd
  fi
}

ensure_sshd_runs() {
  if has_systemd; then
    if ! systemctl is-active --quiet ssh.socket ssh.service; then
      run_logged "starting sshd" systemctl enable --now ssh.service
    fi
  else
    start_plain_sshd
  fi
}

# Before openssh-server is configured there is no answer: then the usual one.
sshd_port() {
  local port
  install -d -m 0755 /run/sshd
  port=$(/usr/sbin/sshd -T 2>/dev/null | awk '$1 == "port" { print $2; exit }') || true
  printf '%s' "${port:-22}"
}
