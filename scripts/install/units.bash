# shellcheck shell=bash
# Under systemd: the units, and restarts of what changed and of nothing else.

readonly units=(paas.service paas-proxy.service paas-proxy.socket)
readonly port_drop_in=$unit_dir/paas-proxy.socket.d/port.conf
readonly settings_stamp=$data_dir/.settings.sha256

start_units() {
  local unit changed=()
  step "Starting paas"
  for unit in "${units[@]}"; do
    if install_unit "$unit"; then changed+=("$unit"); fi
  done
  if install_port_drop_in; then changed+=(paas-proxy.socket); fi
  if settings_changed; then changed+=(paas.service paas-proxy.service); fi
  if [ -n "$binary_changed" ]; then changed+=(paas.service paas-proxy.service); fi
  run_logged "reading the units" systemctl daemon-reload
  run_logged "enabling paas" systemctl enable -q "${units[@]}"
  start_socket "${changed[*]}"
  start_or_restart paas-proxy.service "${changed[*]}"
  start_or_restart paas.service "${changed[*]}"
  sha256sum <"$config" >"$settings_stamp"
}

install_unit() {
  if cmp -s -- "$here/systemd/$1" "$unit_dir/$1"; then return 1; fi
  put_file "$here/systemd/$1" "$unit_dir/$1" 0644
}

# The unit says 80; another port in paas.toml becomes a drop-in. Succeeds when something changed.
install_port_drop_in() {
  local port want=''
  port=$(http_port_setting)
  if [ "$port" != 80 ]; then want=$(printf '# From [proxy] http in %s.\n[Socket]\nListenStream=\nListenStream=%s\n' "$config" "$port"); fi
  if [ "$want" = "$(cat -- "$port_drop_in" 2>/dev/null)" ]; then return 1; fi
  if [ -n "$want" ]; then
    install -d -m 0755 "${port_drop_in%/*}"
    printf '%s\n' "$want" >"$port_drop_in"
  else
    rm -f -- "$port_drop_in"
  fi
}

settings_changed() { [ -e "$settings_stamp" ] && [ "$(sha256sum <"$config")" != "$(cat -- "$settings_stamp")" ]; }

# Only another port closes the socket; an upgrade leaves it open, so that waiting connections are served by the new proxy.
start_socket() {
  if [[ " $1 " == *" paas-proxy.socket "* ]] && systemctl is-active --quiet paas-proxy.socket; then
    run_logged "stopping the proxy" systemctl stop paas-proxy.service paas-proxy.socket
  fi
  run_logged "opening port $(http_port_setting)" systemctl start paas-proxy.socket
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
  systemctl disable --now -q "${units[@]}" >>"$log" 2>&1 || true
  rm -f -- "${units[@]/#/$unit_dir/}" "$port_drop_in"
  rmdir -- "${port_drop_in%/*}" 2>/dev/null || true
  rm -f -- "$settings_stamp"
  run_logged "reading the units" systemctl daemon-reload
  systemctl reset-failed "${units[@]}" 2>/dev/null || true
}
