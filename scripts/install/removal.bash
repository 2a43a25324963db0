# shellcheck shell=bash
# --uninstall keeps what people made (data, config, volumes); --purge keeps nothing of ours.

uninstall() {
  step "Removing paas; $data_dir and /etc/paas stay"
  stop_everything
  stop_app_containers
  remove_program
  step "paas is removed"
  info "Kept: $data_dir, /etc/paas, the apps' volumes and images. Installing again brings the apps back."
  info "Docker, git and openssh-server stay installed."
}

purge() {
  confirm_purge
  step "Removing paas, every app and all data"
  purge_engine
  stop_everything
  remove_program
  remove_accounts
  # The contents, so that a data directory that is a disk of its own can be purged too.
  if [ -d "$data_dir" ]; then find "$data_dir" -mindepth 1 -delete; fi
  rmdir -- "$data_dir" 2>/dev/null || true
  rm -rf -- /etc/paas "$run_dir" "$log_dir"
  step "Nothing of paas is left"
  info "Docker, git and openssh-server stay installed."
  rm -f -- "$log"
}

confirm_purge() {
  local answer=''
  [ -z "$assume_yes" ] || return 0
  { exec 7<>/dev/tty; } 2>/dev/null || die "--purge removes every app, its volumes and its config, and there is no terminal to ask on.
To do it without a question: install.sh --purge --yes"
  printf ' !     This removes paas, every app, and all their volumes and config. There is no way back.\n       Type purge to go on: ' >&7
  IFS= read -r answer <&7 || true
  exec 7>&-
  [ "$answer" = purge ] || die "Nothing was removed."
}

stop_everything() {
  remember_instance
  if has_systemd; then
    remove_units
  else
    stop_process control
    stop_process proxy
  fi
}

remove_program() {
  local had_drop_in=''
  if [ -e "$drop_in" ]; then had_drop_in=1; fi
  remove_drop_in
  if [ -n "$had_drop_in" ] && [ -x /usr/sbin/sshd ]; then reload_sshd; fi
  rm -f -- "$bin" "$bin.prev" "$bin.new"
  rm -rf -- "$lib_dir" "$lib_dir.new"
  if ! has_systemd; then
    # dockerd and sshd are the machine's now: somebody may be using them.
    info "sshd and Docker go on running, if they were started here."
  fi
}

# --- the engine -------------------------------------------------------------------------------------------------------

# While control answers it knows what is ours. When it does not, the labels do.
purge_engine() {
  if [ -x "$bin" ] && "$bin" purge --force >>"$log" 2>&1; then return 0; fi
  remember_instance
  remove_by_label
}

# Our instance id, from control or from the containers it made: nothing of another installation is ever touched.
remember_instance() {
  [ -z "${instance:-}" ] || return 0
  instance=$("$bin" status --json 2>/dev/null | tr -d '[:space:]' | sed -n 's/.*"instance":"\([^"]*\)".*/\1/p') || true
  if [ -z "$instance" ]; then only_instance; fi
}

can_ask_engine() { command -v docker >/dev/null && engine_answers; }

only_instance() {
  local found
  can_ask_engine || return 0
  found=$({
    docker ps -aq | xargs -r docker inspect --format '{{index .Config.Labels "dev.paas.instance"}}'
    docker network ls -q | xargs -r docker network inspect --format '{{index .Labels "dev.paas.instance"}}'
    docker volume ls -q | xargs -r docker volume inspect --format '{{index .Labels "dev.paas.instance"}}'
    docker images -q --filter label=dev.paas.instance | xargs -r docker image inspect --format '{{index .Config.Labels "dev.paas.instance"}}'
  } 2>>"$log" | grep -vE '^(<no value>)?$' | sort -u) || true
  if [ -n "$found" ] && [ "$(wc -l <<<"$found")" -gt 1 ]; then
    warn "This engine holds things of several paas installations, and control does not say which is this one's.
They are left alone. To remove one by hand: docker ps -aq --filter label=dev.paas.instance=ID | xargs docker rm -f"
    return 0
  fi
  instance=$found
}

# Their volumes and images stay; installing again starts them anew.
stop_app_containers() {
  if [ -z "${instance:-}" ] || ! can_ask_engine; then return 0; fi
  docker ps -q --filter "label=dev.paas.instance=$instance" | xargs -r docker stop -t 30 >>"$log" 2>&1 || true
  docker ps -aq --filter "label=dev.paas.instance=$instance" | xargs -r docker rm -f >>"$log" 2>&1 || true
}

remove_by_label() {
  local label="label=dev.paas.instance=${instance:-}"
  if [ -z "${instance:-}" ]; then
    engine_answers || warn "Docker does not answer, so apps' containers, volumes and images were not looked for."
    return 0
  fi
  command -v docker >/dev/null || {
    warn "There is no docker command to remove the apps' containers, networks, volumes and images with (label dev.paas.instance=$instance)."
    return 0
  }
  docker ps -aq --filter "$label" | xargs -r docker rm -f >>"$log" 2>&1 || true
  docker network ls -q --filter "$label" | xargs -r docker network rm >>"$log" 2>&1 || true
  docker volume ls -q --filter "$label" | xargs -r docker volume rm >>"$log" 2>&1 || true
  docker images -q --filter "$label" | sort -u | xargs -r docker rmi -f >>"$log" 2>&1 || true
}
