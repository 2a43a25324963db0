# shellcheck shell=bash
# The machine: which one it is, one installer at a time, and where its programs' output goes.

has_systemd() { [ -d /run/systemd/system ]; }

os_release() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d "\"'" || true; }

check_system() {
  local id version
  id=$(os_release ID)
  version=$(os_release VERSION_ID)
  case $id-$version in
    debian-12 | debian-13 | ubuntu-22.04 | ubuntu-24.04) ;;
    *)
      command -v apt-get >/dev/null || die "This is ${id:-an unknown system} $version, which has no apt-get.
paas installs on Debian 12 and 13 and on Ubuntu 22.04 and 24.04."
      warn "This is $id $version. paas is tested on Debian 12 and 13 and on Ubuntu 22.04 and 24.04; going on."
      ;;
  esac
}

# One installer at a time. Whatever is started to stay must inherit neither the lock nor our terminal: it gets 3>&- 9>&-.
hold_lock() {
  install -d -m 0755 /run/lock
  exec 9>/run/lock/paas-install.lock
  flock -n 9 || die "Another install.sh is running on this server. Wait until it has ended."
}

# Everything that the called programs say, for the moment something fails.
open_log() {
  log=/var/log/paas-install.log
  (umask 077 && printf '# install.sh %s, %s\n' "$action" "$(date -u +%FT%TZ)" >"$log")
}

# run_logged WHAT PROGRAM...: quiet when it works; when not, its last lines and where the rest is. A program, not a function of
# ours: a trap that runs in a function would find 3 closed.
run_logged() {
  local what=$1 status=0 from
  shift
  from=$(wc -l <"$log")
  "$@" >>"$log" 2>&1 </dev/null 3>&- 9>&- || status=$?
  [ "$status" -ne 0 ] || return 0
  die "Failed: $what ($1, exit $status)
$(tail -n +"$((from + 1))" "$log" | tail -n 15)
All of it is in $log. Repair what it says and run install.sh again."
}

# Polls COMMAND ten times a second until it succeeds; fails after SECONDS.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

invoking_user() {
  if [ -n "${SUDO_USER:-}" ] && getent passwd "$SUDO_USER" >/dev/null; then
    printf '%s' "$SUDO_USER"
  else
    printf root
  fi
}

home_of() { getent passwd "$1" | cut -d: -f6; }

# The source address of the default route: the public one on most servers, and no network service is asked.
own_address() {
  local address=''
  if command -v ip >/dev/null; then
    address=$(source_address -4 192.0.2.1)
    [ -n "$address" ] || address=$(source_address -6 2001:db8::1)
  fi
  [ -n "$address" ] || address=$(address_by_udp) || true
  printf '%s' "${address:-127.0.0.1}"
}

# Without `ip`: connecting a UDP socket sends nothing, but makes the kernel choose its source address, which /proc shows.
address_by_udp() {
  local local_hex
  { exec 8<>/dev/udp/192.0.2.1/9; } 2>/dev/null || return 1
  local_hex=$(awk '$3 == "010200C0:0009" { print substr($2, 1, 8); exit }' /proc/net/udp)
  exec 8>&-
  [ -n "$local_hex" ] || return 1
  printf '%d.%d.%d.%d' "0x${local_hex:6:2}" "0x${local_hex:4:2}" "0x${local_hex:2:2}" "0x${local_hex:0:2}"
}

source_address() {
  ip "$1" route get "$2" 2>/dev/null |
    awk '{ for (i = 1; i < NF; i++) if ($i == "src") { print $(i + 1); exit } }' || true
}

is_private_address() {
  [[ $1 =~ ^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.|f[cd]|fe80|::1$) ]]
}
