#!/usr/bin/env bash
# Makes the release tarball that `curl -fsSL URL/install.sh | bash` fetches: one static binary, the installer and what it needs.
# The same commit gives the same bytes (with the same compiler): names sorted, times from the commit, owner root.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: scripts/release.sh [--profile dist|release] [--binary PATH] [--out DIR]

Writes DIR/paas-<arch>-linux.tar.gz, its .sha256, and install.sh beside them (default DIR: target/release-tarball).

  --profile NAME   cargo profile to build with (default: dist)
  --binary PATH    pack this binary instead of building one
  --out DIR        where to write
USAGE
}

die() {
  printf ' !     %s\n' "$*" >&2
  exit 1
}

build() {
  local target
  target="$(uname -m)-unknown-linux-gnu"
  (cd -- "$root" && RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --profile "$profile" --target "$target" -p paas) >&2
  printf '%s/%s/%s/paas' "${CARGO_TARGET_DIR:-$root/target}" "$target" "$profile"
}

# What was built for a release must not need the build machine's libc.
check_static() {
  grep -qE 'statically linked|not a dynamic executable' <<<"$(LC_ALL=C ldd "$1" 2>&1)" ||
    die "$1 is linked to this machine's libraries; a release must be static. Build it with RUSTFLAGS=\"-C target-feature=+crt-static\"."
}

copy_tree() {
  local part
  install -d -m 0755 "$1/paas/scripts"
  install -m 0755 -- "$binary" "$1/paas/paas"
  install -m 0755 -- "$root/install.sh" "$1/paas/install.sh"
  for part in systemd examples scripts/install; do cp -r -- "$root/$part" "$1/paas/$part"; done
  if [ -f "$root/LICENSE" ]; then install -m 0644 -- "$root/LICENSE" "$1/paas/LICENSE"; fi
  chmod -R u=rwX,go=rX "$1/paas"
}

pack() {
  local mtime
  mtime=$(git -C "$root" log -1 --format=%ct 2>/dev/null) || mtime=0
  tar --sort=name --mtime="@${SOURCE_DATE_EPOCH:-$mtime}" --owner=0 --group=0 --numeric-owner --format=ustar -C "$1" -cf - paas | gzip -n -9
}

main() {
  local profile=dist binary='' out='' root work name
  root=$(realpath -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
  while [ $# -gt 0 ]; do
    case $1 in
      --profile | --binary | --out)
        if [ $# -lt 2 ] || [ -z "$2" ]; then die "$1 needs a value"; fi
        printf -v "${1#--}" '%s' "$2"
        shift 2
        ;;
      -h | --help) usage && return ;;
      *) die "unknown option: $1 (scripts/release.sh --help)" ;;
    esac
  done
  case $profile in dist | release) ;; *) die "--profile $profile: dist or release" ;; esac
  out=${out:-$root/target/release-tarball}
  name="paas-$(uname -m)-linux.tar.gz"
  if [ -z "$binary" ]; then
    binary=$(build)
    check_static "$binary"
  fi
  [ -x "$binary" ] || die "$binary: no such file, or not executable"

  work=$(mktemp -d)
  # shellcheck disable=SC2064 # the value of now
  trap "rm -rf -- '$work'" EXIT
  copy_tree "$work"
  mkdir -p -- "$out"
  pack "$work" >"$out/$name.new"
  mv -f -- "$out/$name.new" "$out/$name"
  (cd -- "$out" && sha256sum "$name" >"$name.sha256")
  install -m 0755 -- "$root/install.sh" "$out/install.sh"
  printf -- '-----> %s (%s bytes)\n' "$out/$name" "$(stat -c %s "$out/$name")"
}

main "$@"
