# shellcheck shell=bash
# Without systemd as PID 1 (containers, many CI machines): the same processes, started here, each with a pid file.

pid_file() { printf '%s/%s.pid' "$run_dir" "$1"; }

# The binary that a process of ours runs; what has another one is somebody else's.
program_of() {
  case $1 in
    dockerd) command -v dockerd || true ;;
    sshd) printf '/usr/sbin/sshd' ;;
    *) printf '%s' "$bin" ;;
  esac
}

# The pid of our process NAME, when it runs: a pid file outlives its process, and pids are used again. A proxy that took over because somebody said
# `paas proxy:reload` is in no pid file.
running_pid() {
  local pid
  pid=$(cat -- "$(pid_file "$1")" 2>/dev/null) || true
  if is_ours "$1" "$pid"; then
    printf '%s' "$pid"
    return
  fi
  [ "$1" = proxy ] || return 1
  for pid in $(find /proc -maxdepth 1 -name '[0-9]*' -user paas-proxy -printf '%f\n' 2>/dev/null); do
    if is_ours proxy "$pid"; then
      printf '%s' "$pid"
      return
    fi
  done
  return 1
}

# is_ours NAME PID
is_ours() {
  local exe program
  [[ $2 =~ ^[0-9]+$ ]] || return 1
  exe=$(readlink "/proc/$2/exe" 2>/dev/null) || return 1
  program=$(realpath -- "$(program_of "$1")")
  # After an upgrade the running program is the file that was replaced.
  case ${exe% (deleted)} in
    "$program" | "$program.prev" | "$program.new") return 0 ;;
    *) return 1 ;;
  esac
}

# spawn NAME COMMAND...: in a session of its own, so that neither Ctrl-C nor the end of this shell reaches it.
spawn() {
  local name=$1
  shift
  install -d -m 0755 "$log_dir"
  # shellcheck disable=SC2016 # the inner shell expands them
  setsid --fork sh -c 'printf "%s\n" "$$" >"$0.new" && mv -f -- "$0.new" "$0" && exec "$@"' "$(pid_file "$name")" "$@" \
    >>"$log_dir/$name.log" 2>&1 </dev/null 3>&- 9>&-
}

start_processes() {
  step "Starting paas (no systemd here: pid files in $run_dir, logs in $log_dir)"
  if settings_changed; then
    stop_process control
    stop_process proxy
  elif [ -n "$binary_changed" ]; then
    stop_process control
    hand_over_proxy || stop_process proxy
  fi
  running_pid proxy >/dev/null || start_proxy
  running_pid control >/dev/null || spawn control env -i PATH="$PATH" HOME=/root "$bin" serve
  sha256sum <"$config" >"$settings_stamp"
}

start_proxy() {
  spawn proxy setpriv --reuid=paas-proxy --regid=paas-proxy --clear-groups --no-new-privs \
    --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service --bounding-set=-all,+net_bind_service \
    -- env -i PATH="$PATH" HOME=/nonexistent "$bin" proxy
}

# The running proxy lets the new binary take over; fails when it does not run or cannot.
hand_over_proxy() {
  local said pid
  running_pid proxy >/dev/null || return 1
  said=$("$bin" proxy:reload 2>>"$log" </dev/null 3>&- 9>&-) || return 1
  pid=${said##* }
  [[ $pid =~ ^[0-9]+$ ]] || return 1
  printf '%s\n' "$pid" >"$(pid_file proxy).new"
  mv -f -- "$(pid_file proxy).new" "$(pid_file proxy)"
}

start_dockerd() {
  rm -f -- /var/run/docker.pid
  spawn dockerd dockerd
}

start_plain_sshd() {
  if sshd_answers; then return 0; fi
  step "Starting sshd"
  spawn sshd /usr/sbin/sshd -D -e
  wait_until 10 sshd_answers || die "sshd does not answer on port $(sshd_port):
$(tail -n 4 "$log_dir/sshd.log")
Repair that and run install.sh again."
}

sshd_answers() {
  local greeting=''
  { exec 8<>"/dev/tcp/127.0.0.1/$(sshd_port)"; } 2>/dev/null || return 1
  IFS= read -r -t 5 greeting <&8 || true
  exec 8>&-
  [[ $greeting == SSH-* ]]
}

# Ours or one that was there before us: its own pid file says.
reload_plain_sshd() {
  local pid
  pid=$(running_pid sshd) || pid=$(cat -- "$(/usr/sbin/sshd -T 2>/dev/null | awk '$1 == "pidfile" { print $2 }')" 2>/dev/null) || true
  if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/exe")" = /usr/sbin/sshd ]; then
    kill -HUP "$pid"
  elif sshd_answers; then
    die "An sshd runs here, but its pid file is missing, so it cannot be told to read $drop_in.
Reload it (kill -HUP its pid) and run install.sh again."
  fi
}

# Asks the process to end and waits for it: control up to 60 s, as its unit does.
stop_process() {
  local pid
  # After a hand-over there may be two.
  while pid=$(running_pid "$1"); do
    kill -TERM "$pid"
    if ! wait_until 60 has_ended "$pid"; then
      warn "$1 (pid $pid) did not end within 60 s and is killed."
      kill -KILL "$pid" 2>/dev/null || true
      wait_until 10 has_ended "$pid" || die "$1 (pid $pid) cannot be ended."
    fi
  done
  rm -f -- "$(pid_file "$1")"
}

# A zombie has ended too: in a container nobody may reap it.
has_ended() { ! grep -qE '^State:[[:space:]]+[^ZX]' "/proc/$1/status" 2>/dev/null; }

stop_without_systemd() {
  if has_systemd; then
    die "systemd runs paas here: systemctl stop 'paas-proxy*.socket' paas-proxy.service paas.service"
  fi
  local name stopped=()
  for name in control proxy sshd dockerd; do
    if running_pid "$name" >/dev/null; then stopped+=("$name"); fi
    stop_process "$name"
  done
  if [ ${#stopped[@]} -eq 0 ]; then
    step "Nothing of paas was running"
  else
    step "Stopped ${stopped[*]}"
  fi
}
