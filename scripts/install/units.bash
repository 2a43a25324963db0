# shellcheck shell=bash
# Under systemd: the units, and restarts of what changed and of nothing else.

readonly services=(paas.service paas-proxy.service)
readonly sockets=(paas-proxy.socket paas-proxy-https.socket paas-proxy-http3.socket)
readonly units=("${services[@]}" "${sockets[@]}")
readonly settings_stamp=$data_dir/.settings.sha256

start_units() {
  local unit changed=() wanted=() unwanted=()
  step "Starting paas"
  for unit in "${services[@]}"; do
    if install_unit "$unit"; then changed+=("$unit"); fi
  done
  for unit in "${sockets[@]}"; do
    # Only another port closes it, whatever else in the unit is new.
    install_unit "$unit" || true
    put_port_drop_in "$unit"
    if [ -n "$(port_of "$unit")" ]; then wanted+=("$unit"); else unwanted+=("$unit"); fi
  done
  if settings_changed; then changed+=("${services[@]}"); fi
  run_logged "reading the units" systemctl daemon-reload
  run_logged "enabling paas" systemctl enable -q "${services[@]}" "${wanted[@]}"
  for unit in "${unwanted[@]}"; do
    if is_open "$unit"; then changed+=(paas-proxy.service); fi
    disable_socket "$unit"
  done
  for unit in "${wanted[@]}"; do
    if ! is_open "$unit"; then changed+=(paas-proxy.service); fi
  done
  if [ -n "$binary_changed" ]; then
    changed+=(paas.service)
    if [[ " ${changed[*]} " != *" paas-proxy.service "* ]] && ! hand_over; then changed+=(paas-proxy.service); fi
  fi
  # Its restart opens the sockets that are not open, and leaves the others so: what arrives meanwhile waits.
  start_or_restart paas-proxy.service "${changed[*]}"
  for unit in "${wanted[@]}"; do check_socket "$unit"; done
  start_or_restart paas.service "${changed[*]}"
  sha256sum <"$config" >"$settings_stamp"
}

install_unit() {
  if cmp -s -- "$here/systemd/$1" "$unit_dir/$1"; then return 1; fi
  put_file "$here/systemd/$1" "$unit_dir/$1" 0644
}

# The port a socket unit shall have by paas.toml; nothing when it shall not be open.
port_of() {
  case $1 in
    paas-proxy.socket) port_setting http ;;
    paas-proxy-https.socket) port_setting https ;;
    paas-proxy-http3.socket) if wants_http3; then port_setting https; fi ;;
  esac
}

port_drop_in() { printf '%s/%s.d/port.conf' "$unit_dir" "$1"; }

# The unit says 80 or 443; another port in paas.toml becomes a drop-in. Closed before the file says otherwise: a run that ends in
# between leaves a closed socket, which the next one notices.
put_port_drop_in() {
  local port line file want=''
  port=$(port_of "$1")
  line=$(grep -E '^Listen(Stream|Datagram)=' "$here/systemd/$1")
  file=$(port_drop_in "$1")
  if [ -n "$port" ] && [ "$port" != "${line#*=}" ]; then
    want=$(printf '# From [proxy] in %s.\n[Socket]\n%s=\n%s=%s\n' "$config" "${line%%=*}" "${line%%=*}" "$port")
  fi
  if [ "$want" = "$(cat -- "$file" 2>/dev/null)" ]; then return 0; fi
  close_socket "$1"
  if [ -n "$want" ]; then
    install -d -m 0755 "${file%/*}"
    printf '%s\n' "$want" >"$file"
  else
    remove_port_drop_in "$1"
  fi
}

remove_port_drop_in() {
  local file
  file=$(port_drop_in "$1")
  rm -f -- "$file"
  rmdir -- "${file%/*}" 2>/dev/null || true
}

settings_changed() { [ -e "$settings_stamp" ] && [ "$(sha256sum <"$config")" != "$(cat -- "$settings_stamp")" ]; }

is_open() { systemctl is-active --quiet "$1"; }

close_socket() {
  if is_open "$1"; then run_logged "closing $1" systemctl stop "$1"; fi
}

disable_socket() {
  close_socket "$1"
  if systemctl is-enabled --quiet "$1" 2>/dev/null; then run_logged "disabling $1" systemctl disable -q "$1"; fi
}

check_socket() {
  is_open "$1" || die "Port $(port_of "$1") cannot be opened ($1):
$(journalctl -q --no-pager -o cat -n 5 -u "$1" 2>/dev/null)
Repair that and run install.sh again."
}

# The running proxy lets the new binary take over, which costs no visitor anything. Fails when it must be restarted: it does not
# run, it is of a version that cannot hand over, or the new one did not start.
hand_over() {
  is_open paas-proxy.service && [ "$(systemctl show -p CanReload --value paas-proxy.service)" = yes ] || return 1
  systemctl reload paas-proxy.service >>"$log" 2>&1 </dev/null 3>&- 9>&-
}

start_or_restart() {
  local verb=start
  if [[ " $2 " == *" $1 "* ]]; then verb=restart; fi
  systemctl reset-failed "$1" 2>/dev/null || true
  systemctl "$verb" "$1" >>"$log" 2>&1 </dev/null 3>&- 9>&- || die "$1 does not start:
$(journalctl -q --no-pager -o cat -n 10 -u "$1" 2>/dev/null)
All of it: journalctl -u $1. Repair that and run install.sh again.$(previous_hint)"
}

remove_units() {
  local unit
  # One by one, as an older installation does not have them all; the sockets first, or they would start the proxy again.
  for unit in "${sockets[@]}" "${services[@]}"; do systemctl disable --now -q "$unit" >>"$log" 2>&1 || true; done
  rm -f -- "${units[@]/#/$unit_dir/}"
  for unit in "${sockets[@]}"; do remove_port_drop_in "$unit"; done
  rm -f -- "$settings_stamp"
  run_logged "reading the units" systemctl daemon-reload
  systemctl reset-failed "${units[@]}" 2>/dev/null || true
}
