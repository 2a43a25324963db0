# shellcheck shell=bash
# What the server needs from its distribution: Docker Engine, git, sshd, CA certificates.

install_packages() {
  local missing=()
  if ! has_engine; then
    missing+=(docker.io)
    keep_containers_running
  fi
  command -v git >/dev/null || missing+=(git)
  [ -x /usr/sbin/sshd ] || missing+=(openssh-server)
  command -v ssh-keygen >/dev/null || missing+=(openssh-client)
  [ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
  apt_install "${missing[@]}"
}

# Any engine counts: the distribution's, Docker's own packages, a snap.
has_engine() { command -v dockerd >/dev/null || engine_answers; }

# A restart of the engine, and so an upgrade of its package, stops all containers unless it is told not to. An engine that was here before
# is its owner's: he is told instead (say_about_restarts).
keep_containers_running() {
  local settings=/etc/docker/daemon.json
  [ ! -e "$settings" ] || return 0
  install -d -m 0755 -- "${settings%/*}"
  printf '{\n  "live-restore": true\n}\n' >"$settings"
}

say_about_restarts() {
  if timeout 10 docker info --format '{{.LiveRestoreEnabled}}' 2>/dev/null | grep -qx false; then
    info "A restart of Docker, as in an upgrade of it, will stop the apps for some seconds. Not with \"live-restore\": true in"
    info "/etc/docker/daemon.json and \`systemctl reload docker\`; that excludes swarm mode."
  fi
}

engine_answers() {
  if command -v docker >/dev/null; then
    docker version --format '{{.Server.Version}}' >/dev/null 2>&1
  elif command -v curl >/dev/null; then
    curl -fsS --max-time 5 --unix-socket /var/run/docker.sock http://docker/_ping >/dev/null 2>&1
  else
    [ -S /var/run/docker.sock ]
  fi
}

# Debian 13 keeps the docker command in a package of its own; people who look into their server want it.
docker_packages() {
  printf 'docker.io\n'
  if apt-cache show docker-cli >/dev/null 2>&1; then printf 'docker-cli\n'; fi
}

apt_install() {
  local packages=() package
  [ $# -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "Missing: $*. There is no apt-get to install them with; install them and run install.sh again."
  step "Installing $*"
  repair_dpkg
  apt_update
  for package in "$@"; do
    if [ "$package" = docker.io ]; then
      mapfile -t -O "${#packages[@]}" packages < <(docker_packages)
    else
      packages+=("$package")
    fi
  done
  run_logged "installing ${packages[*]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -- "${packages[@]}"
}

# An installation that was interrupted in the middle of dpkg leaves a journal that apt refuses to step over.
repair_dpkg() {
  if [ -n "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ] || [ -n "$(dpkg --audit 2>/dev/null)" ]; then
    run_logged "finishing an interrupted package installation" env DEBIAN_FRONTEND=noninteractive dpkg --configure -a --force-confold
  fi
}

# A fresh server is often busy with its own first update: its lock on the lists is waited for.
apt_update() {
  local deadline=$((SECONDS + 300)) output
  until output=$(apt-get update -q 2>&1 </dev/null 3>&- 9>&-); do
    printf '%s\n' "$output" >>"$log"
    if ! grep -q 'Could not get lock' <<<"$output" || [ "$SECONDS" -ge "$deadline" ]; then
      die "apt-get update failed:
$(tail -n 8 <<<"$output")
Repair that (network? /etc/apt/sources.list?) and run install.sh again."
    fi
    sleep 1
  done
}

ensure_engine() {
  if engine_answers; then return 0; fi
  step "Starting Docker"
  if has_systemd; then
    run_logged "starting Docker" systemctl enable --now docker.service
  else
    start_dockerd
  fi
  wait_until 60 engine_answers || die "Docker does not answer after 60 s.
$(docker version 2>&1 | tail -n 2)
Look at \`journalctl -u docker\` (without systemd: $log_dir/dockerd.log), repair it, and run install.sh again."
}
