# shellcheck shell=bash
# The one binary: found, fetched or built; replaced in one rename; the one before it kept as paas.prev.

# Sets `binary` to what shall be installed; empty when that is what is installed already.
find_binary() {
  binary_changed=''
  if [ -n "$binary" ]; then
    binary=$(realpath -- "$binary")
  elif [ -f "$here/paas" ]; then
    binary=$here/paas
  elif [ -f "$here/Cargo.toml" ]; then
    build_binary
  elif [ -x "$bin" ]; then
    binary=$bin
  else
    die "There is no paas to install. Give one with --binary PATH, or run install.sh from a clone or a release."
  fi
  "$binary" --version >>"$log" 2>&1 || die "$binary does not run on this machine:
$("$binary" --version 2>&1 | tail -n 3)
Is it built for $(uname -m)?"
}

# As the person who called sudo, so that target/ does not come to belong to root.
build_binary() {
  local builder target
  builder=$(invoking_user)
  # A clone that belongs to root alone can only be built by root.
  runuser -u "$builder" -- test -w "$here" || builder=root
  target="$(uname -m)-unknown-linux-gnu"
  become_builder "$builder"
  ensure_build_tools "$builder"
  step "Building paas (the first time takes some minutes)"
  "${as_builder[@]}" RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --quiet --locked --release --target "$target" --target-dir "$here/target" \
    --manifest-path "$here/Cargo.toml" -p paas </dev/null 3>&- 9>&- ||
    die "cargo could not build paas; its messages are above. Repair that and run install.sh again,
or install a built one with --binary PATH."
  binary=$here/target/$target/release/paas
}

# Sets `as_builder` to the words that run a program as USER, with that user's Rust.
become_builder() {
  local home
  home=$(home_of "$1")
  as_builder=(runuser -u "$1" -- env HOME="$home" CARGO_HOME="${CARGO_HOME:-$home/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$home/.rustup}"
    PATH="${CARGO_HOME:-$home/.cargo}/bin:$PATH")
}

ensure_build_tools() {
  local missing=()
  command -v cc >/dev/null || missing+=(gcc libc6-dev)
  if ! new_enough_cargo && ! command -v curl >/dev/null; then missing+=(curl ca-certificates); fi
  apt_install "${missing[@]}"
  new_enough_cargo || install_rust "$1"
}

new_enough_cargo() {
  local have want
  have=$("${as_builder[@]}" cargo --version 2>>"$log" | awk '{ print $2 }') || return 1
  want=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$here/Cargo.toml")
  [ -n "$have" ] && [ "$(printf '%s\n' "$want" "$have" | sort -V | head -n 1)" = "$want" ]
}

# The distributions' Rust is older than we need; rustup is how Rust itself is installed. It lands in the builder's home.
install_rust() {
  step "Installing Rust for $1 (rustup, into $(home_of "$1"))"
  scratch=${scratch:-$(mktemp -d)}
  chmod 0755 "$scratch"
  run_logged "fetching rustup" curl -fsSL --proto =https --proto-redir =https -o "$scratch/rustup-init.sh" https://static.rust-lang.org/rustup/rustup-init.sh
  run_logged "installing Rust" "${as_builder[@]}" sh "$scratch/rustup-init.sh" -y --quiet --profile minimal --no-modify-path
}

# Atomic: a process that starts meanwhile runs the old one or the new one, never half of one.
install_binary() {
  if [ -x "$bin" ] && cmp -s -- "$binary" "$bin"; then return 0; fi
  step "Installing $bin"
  binary_changed=1
  install -m 0755 -o root -g root -- "$binary" "$bin.new"
  sync -- "$bin.new"
  if [ -e "$bin" ]; then ln -f -- "$bin" "$bin.prev"; fi
  mv -f -- "$bin.new" "$bin"
}

# A copy of the installer, so that removing paas needs no clone and no download.
install_installer() {
  [ "$here" != "$lib_dir" ] || return 0
  local part fresh=$lib_dir.new
  rm -rf -- "$fresh"
  install -d -m 0755 "$fresh/scripts"
  install -m 0755 -- "$here/install.sh" "$fresh/install.sh"
  for part in systemd examples scripts/install; do
    cp -r -- "$here/$part" "$fresh/$part"
  done
  chown -R root:root "$fresh"
  chmod -R u=rwX,go=rX "$fresh"
  rm -rf -- "$lib_dir"
  mv -- "$fresh" "$lib_dir"
}
