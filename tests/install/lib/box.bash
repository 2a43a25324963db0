# shellcheck shell=bash
# The box: a debootstrapped Debian or Ubuntu that runs as a container, either like a VPS (systemd is PID 1, Docker runs inside) or plain.
# Nothing is pulled. The tree is made once for each suite and kept below target/.

readonly cache=${cache:-$root/target/vps}
readonly box=paas-box-$$
box_image=''
# More options of `docker run`.
box_options=()

# What a server has from its provider; what paas needs is left to install.sh.
readonly box_packages=${box_packages:-systemd,systemd-sysv,dbus,ca-certificates,sudo,curl,iproute2,procps}

mirror_of() {
  case $1 in
    jammy | noble) printf '%s' "${PAAS_TEST_UBUNTU_MIRROR:-http://archive.ubuntu.com/ubuntu}" ;;
    *) printf '%s' "${PAAS_TEST_DEBIAN_MIRROR:-http://deb.debian.org/debian}" ;;
  esac
}

components_of() {
  case $1 in
    jammy | noble) printf 'main,universe' ;;
    *) printf 'main' ;;
  esac
}

# A Debian has no key of Ubuntu's; and debootstrap may be older than the suite, whose script is Ubuntu's usual one.
debootstrap_options() {
  case $1 in
    jammy | noble)
      script=(/usr/share/debootstrap/scripts/gutsy)
      [ -e /usr/share/keyrings/ubuntu-archive-keyring.gpg ] || options=(--no-check-gpg)
      ;;
  esac
}

make_tree() {
  local suite=$1 tree=$cache/$1.tar.gz work options=() script=()
  [ ! -f "$tree" ] || return 0
  command -v debootstrap >/dev/null || apt-get install -y -qq debootstrap >/dev/null
  printf 'Making a %s tree (once)\n' "$suite"
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/$suite.XXXXXX")
  debootstrap_options "$suite"
  debootstrap "${options[@]}" --variant=minbase --components="$(components_of "$suite")" --include="$box_packages" \
    "$suite" "$work" "$(mirror_of "$suite")" "${script[@]}" >"$cache/$suite.log" 2>&1 || {
    tail -n 20 "$cache/$suite.log"
    rm -rf -- "$work"
    return 1
  }
  rm -f -- "$work"/var/cache/apt/archives/*.deb
  tar -C "$work" -czf "$tree.new" .
  mv -- "$tree.new" "$tree"
  rm -rf -- "$work"
}

# box_start SUITE systemd|plain
box_start() {
  make_tree "$1"
  box_image="paas-box:$1-$$"
  docker import "$cache/$1.tar.gz" "$box_image" >/dev/null
  docker volume create "$box" >/dev/null
  run_box "$2" >/dev/null
  follow_host_apt "$1"
  make_admin
  if [ "$2" = systemd ]; then within 60 booted; fi
}

# Every capability but SYS_RESOURCE, which a container on a container host may not have; cgroups of its own, writable.
run_box() {
  local capability capabilities=() command='exec sleep infinity' init=(--init)
  for capability in CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE \
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE \
    SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP \
    MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ; do
    capabilities+=(--cap-add "$capability")
  done
  if [ "$1" = systemd ]; then
    init=(--stop-signal SIGRTMIN+3)
    # systemd 256 and later wants to be told that cgroup v1 is meant; older ones do not know the word.
    command='exec /lib/systemd/systemd SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1'
  fi
  docker run -d --name "$box" --hostname vps "${capabilities[@]}" "${init[@]}" \
    --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
    --cgroupns private --tmpfs /run --tmpfs /run/lock --tmpfs /tmp:exec -e container=docker -v "$box:/var/lib/docker" "${box_options[@]}" "$box_image" \
    /bin/sh -c 'for m in /sys/fs/cgroup /sys/fs/cgroup/*; do [ -L "$m" ] || mount -o remount,rw,bind "$m" 2>/dev/null || :; done; '"$command"
}

booted() { [[ $(docker exec "$box" systemctl is-system-running 2>&1) =~ ^(running|degraded)$ ]]; }

# apt inside reaches what apt outside reaches: the same proxy settings and the same trusted certificates.
follow_host_apt() {
  local file variable
  printf 'deb %s %s %s\n' "$(mirror_of "$1")" "$1" "$(components_of "$1" | tr , ' ')" | in_box sh -c 'rm -rf /etc/apt/sources.list.d/*; cat >/etc/apt/sources.list'
  for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
    if grep -qsiE '^[[:space:]]*Acquire' "$file"; then in_box tee "/etc/apt/apt.conf.d/${file##*/}" <"$file" >/dev/null; fi
  done
  for variable in http_proxy https_proxy no_proxy; do
    if [ -n "${!variable:-}" ]; then printf '%s=%s\n' "$variable" "${!variable}"; fi
  done | in_box tee -a /etc/environment >/dev/null
  in_box sh -c 'cat >/etc/ssl/certs/ca-certificates.crt' </etc/ssl/certs/ca-certificates.crt
}

# A person with sudo and a key, as on a server from a provider.
make_admin() {
  in_box bash -s <<'SETUP'
set -e
useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin
SETUP
}

in_box() { docker exec -i "$box" "$@"; }
as_admin() { docker exec -i "$box" su - admin -c "$1"; }

# in_box_sh SCRIPT: for more than one command.
in_box_sh() { docker exec -i "$box" bash -euo pipefail -c "$1"; }

# The project as a clone has it, below admin's home, and the binary to install.
copy_project() {
  in_box mkdir -p /home/admin/paas
  tar -C "$root" -c install.sh systemd scripts examples | in_box tar -x -C /home/admin/paas
  in_box tee /home/admin/paas-binary <"$1" >/dev/null
  in_box chmod 0755 /home/admin/paas-binary
  in_box chown -R admin:admin /home/admin
}

box_restart() {
  docker restart -t 60 "$box" >/dev/null
  within 90 booted
}

box_remove() {
  docker rm -f "$box" >/dev/null 2>&1 || true
  docker volume rm "$box" >/dev/null 2>&1 || true
  if [ -n "$box_image" ]; then docker rmi "$box_image" >/dev/null 2>&1 || true; fi
}
