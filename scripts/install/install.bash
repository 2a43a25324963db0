# shellcheck shell=bash
# The installer proper: sourced by install.sh, as root. Each file beside it is one subject.

readonly bin=/usr/local/bin/paas
readonly lib_dir=/usr/local/lib/paas
readonly config=/etc/paas/paas.toml
readonly data_dir=/var/lib/paas
readonly run_dir=/run/paas
readonly log_dir=/var/log/paas
readonly unit_dir=/etc/systemd/system

# shellcheck source=scripts/install/system.bash
. "$here/scripts/install/system.bash"
# shellcheck source=scripts/install/packages.bash
. "$here/scripts/install/packages.bash"
# shellcheck source=scripts/install/binary.bash
. "$here/scripts/install/binary.bash"
# shellcheck source=scripts/install/accounts.bash
. "$here/scripts/install/accounts.bash"
# shellcheck source=scripts/install/settings.bash
. "$here/scripts/install/settings.bash"
# shellcheck source=scripts/install/sshd.bash
. "$here/scripts/install/sshd.bash"
# shellcheck source=scripts/install/units.bash
. "$here/scripts/install/units.bash"
# shellcheck source=scripts/install/processes.bash
. "$here/scripts/install/processes.bash"
# shellcheck source=scripts/install/keys.bash
. "$here/scripts/install/keys.bash"
# shellcheck source=scripts/install/example.bash
. "$here/scripts/install/example.bash"
# shellcheck source=scripts/install/removal.bash
. "$here/scripts/install/removal.bash"

run_installer() {
  umask 022
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
  export PATH LC_ALL=C
  # What the person has set for another server is not meant for this one.
  unset PAAS_CONFIG PAAS_HOST
  hold_lock
  open_log
  case $action in
    install) install_everything ;;
    uninstall) uninstall ;;
    purge) purge ;;
    stop) stop_without_systemd ;;
  esac
}

# From the exit trap, whatever ended us.
clean_up() {
  if [ -n "${drop_in_unchecked:-}" ]; then undo_drop_in; fi
  cleanup_example
}

install_everything() {
  check_system
  find_binary
  install_packages
  ensure_accounts
  ensure_directories
  ensure_settings
  say_about_terms
  check_ports
  install_binary
  install_installer
  ensure_engine
  configure_sshd
  prepare_data
  if has_systemd; then start_units; else start_processes; fi
  wait_until_answers
  ensure_keys
  if [ -n "$example" ]; then run_example; fi
  say_what_next
}

# Directories that are ours, with the owners that keep the processes apart. `paas setup` fills them.
ensure_directories() {
  install -d -m 0755 -o root -g root /etc/paas "$data_dir" "$data_dir/ssh" "$data_dir/hooks"
  install -d -m 0750 -o root -g root "$data_dir/logs"
  # Root's, so that nothing that runs as `paas` can plant a .gitconfig or an rc file.
  install -d -m 0755 -o root -g root "$data_dir/home"
  install -d -m 0750 -o paas -g paas "$data_dir/repos"
  install -d -m 0700 -o paas-proxy -g paas-proxy "$data_dir/proxy"
  ensure_run_directories
}

# systemd makes them by itself (RuntimeDirectory=); this is for the first moments and for machines without it.
ensure_run_directories() {
  install -d -m 0755 -o root -g root "$run_dir"
  install -d -m 0700 -o paas-proxy -g paas-proxy "$run_dir/proxy"
}

# Control may not hold an old schema open while the new binary migrates it.
prepare_data() {
  if [ -n "$binary_changed" ]; then stop_control; fi
  run_logged "preparing $data_dir" "$bin" setup
}

stop_control() {
  if has_systemd; then
    systemctl stop paas.service 2>/dev/null || true
  else
    stop_process control
  fi
}

wait_until_answers() {
  local deadline=$((SECONDS + 60))
  until "$bin" status >>"$log" 2>&1; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      die "paas does not answer after 60 s. \`paas status\` says:
$("$bin" status 2>&1 || true)
$(last_words)
When that is repaired, run install.sh again.$(previous_hint)"
    fi
    sleep 0.2
  done
}

last_words() {
  if has_systemd; then
    journalctl -q --no-pager -o cat -n 8 -u paas.service -u paas-proxy.service 2>/dev/null || true
  else
    tail -n 6 "$log_dir/control.log" "$log_dir/proxy.log" 2>/dev/null || true
  fi
}

previous_hint() {
  if [ -n "$binary_changed" ] && [ -e "$bin.prev" ]; then
    printf '\nThe version before this one is kept: %s' "$bin.prev"
  fi
}

say_what_next() {
  local remote host ssh_port name
  host=$(setting ssh host)
  ssh_port=$(setting ssh port)
  name="<app>.$(setting '' domain)"
  remote="paas@$host:myapp"
  if [ "$ssh_port" != 22 ]; then remote="ssh://paas@$host:$ssh_port/myapp"; fi
  step "$("$bin" --version | head -n 1) is ready"
  info "Apps answer at $(web_address http "$name")$(if [ -n "$(port_setting https)" ]; then printf ' and %s' "$(web_address https "$name")"; fi)"
  say_about_address
  say_about_firewall
  say_about_restarts
  if ! has_systemd; then
    info "Without systemd nothing starts paas again when it ends or the machine restarts; $lib_dir/install.sh does."
  fi
  if no_keys; then say_how_to_add_key; fi
  info ""
  info "In your app's repository (it needs a Dockerfile):"
  info "    git remote add deploy $remote"
  info "    git push deploy main"
  info "Everything else:  ssh $(ssh_port_option "$ssh_port")paas@$host help"
  info "Remove paas:      $lib_dir/install.sh --uninstall"
}

# web_address http|https NAME: the URL, with the port where it is not the usual one.
web_address() {
  local port
  port=$(port_setting "$1")
  case $1-$port in
    http-80 | https-443) printf '%s://%s' "$1" "$2" ;;
    *) printf '%s://%s:%s' "$1" "$2" "$port" ;;
  esac
}

ssh_port_option() { if [ "$1" != 22 ]; then printf -- '-p %s ' "$1"; fi; }
