#!/usr/bin/env bash
# Installs, upgrades or removes paas on this server. `./install.sh --help` says how.
#
# From a clone or an unpacked release the rest of the installer lies in scripts/install/. Piped from a URL there is nothing beside
# it: then it fetches the release, checks it, and runs the installer in there. Nothing runs before the last line of this file has
# arrived, so a download that was cut short does nothing.
#
# shellcheck disable=SC2317 # traps call what shellcheck takes for unreachable
set -euo pipefail

readonly RELEASE_URL_DEFAULT="https://github.com/paas-sh/paas/releases/latest/download"

usage() {
  cat <<'USAGE'
Turn this server into a private Heroku: `git push deploy main` and the app is live.

usage: ./install.sh [options]        installs; run again, it upgrades in place and keeps config, keys and apps
       ./install.sh --uninstall      removes paas, keeps apps' data and the config
       ./install.sh --purge          removes paas and everything it ever kept
       ./install.sh --stop           without systemd: stops what install.sh started

  --domain NAME       apps get <app>.NAME                    (default: <this server's address>.sslip.io)
  --key FILE          public ssh key(s) that may push        (default: your own ~/.ssh/authorized_keys)
  --binary PATH       install this paas instead of building  (default: cargo builds it from the clone)
  --http-port PORT    port for the apps                      (default: 80)
  --https-port PORT   port for the apps over HTTPS           (default: 443)
  --acme-directory D  who signs certificates: letsencrypt, staging, or the URL of an ACME directory (default: letsencrypt)
  --acme-email ADDR   told to that authority                 (default: none)
  --acme-root FILE    root certificates of a private authority, PEM
  --example           also create and push a small app, and check that it answers
  --yes               with --purge: do not ask
  -h, --help          this text

Piped from a URL:  curl -fsSL URL/install.sh | bash -s -- --domain apps.example.com
PAAS_RELEASE_URL is where the release lies (paas-<arch>-linux.tar.gz and .sha256).
USAGE
}

step() { printf -- '-----> %s\n' "$*"; }
info() { printf '%s\n' "${1:+       $1}"; }

# Errors: every line of the arguments, marked. To the terminal also from inside a redirected function: 3 is the first standard error.
warn() {
  local line
  while IFS= read -r line; do printf ' !     %s\n' "$line" >&3; done <<<"$*"
}

die() {
  explained=1
  warn "$*"
  exit 1
}

on_exit() {
  local status=$?
  trap - EXIT
  if declare -F clean_up >/dev/null; then clean_up; fi
  if [ -n "$scratch" ]; then rm -rf -- "$scratch"; fi
  if [ "$status" -ne 0 ] && [ -z "$explained" ]; then
    warn "install.sh stopped (exit $status) at: ${failed_at:-its start}
Nothing is half done that running it again would not repair."
    if [ -n "${log:-}" ] && [ -s "$log" ]; then warn "What its programs said: $log"; fi
  fi
  exit "$status"
}

on_error() { failed_at="$2 (line $1 of ${3##*/})"; }

on_signal() {
  explained=1
  warn "Interrupted. Run install.sh again to finish: it goes on from where it is."
  exit "$1"
}

parse_arguments() {
  action=install domain='' key_file='' binary='' http_port='' https_port='' acme_directory='' acme_email='' acme_root='' example='' assume_yes=''
  while [ $# -gt 0 ]; do
    case $1 in
      --domain | --key | --binary | --http-port | --https-port | --acme-directory | --acme-email | --acme-root)
        if [ $# -lt 2 ] || [ -z "$2" ]; then usage_error "$1 needs a value"; fi
        set_option "$1" "$2"
        shift
        ;;
      --domain=* | --key=* | --binary=* | --http-port=* | --https-port=* | --acme-directory=* | --acme-email=* | --acme-root=*)
        [ -n "${1#*=}" ] || usage_error "${1%%=*} needs a value"
        set_option "${1%%=*}" "${1#*=}"
        ;;
      --example) example=1 ;;
      --yes | -y) assume_yes=1 ;;
      --uninstall | --purge | --stop)
        [ "$action" = install ] || usage_error "$1 and --$action exclude each other"
        action=${1#--}
        ;;
      -h | --help)
        usage
        explained=1
        exit 0
        ;;
      *) usage_error "unknown option: $1" ;;
    esac
    shift
  done
  check_options
}

set_option() {
  case $1 in
    --domain) domain=${2,,} domain=${domain%.} ;;
    --key) key_file=$2 ;;
    --binary) binary=$2 ;;
    --http-port) http_port=$2 ;;
    --https-port) https_port=$2 ;;
    --acme-directory) acme_directory=$2 ;;
    --acme-email) acme_email=$2 ;;
    --acme-root) acme_root=$2 ;;
  esac
}

usage_error() {
  explained=1
  warn "$1
./install.sh --help shows every option."
  exit 2
}

check_options() {
  local label='[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
  if [ -n "$domain" ]; then
    [[ ${#domain} -le 200 && $domain =~ ^${label}(\.${label})*$ ]] ||
      usage_error "--domain $domain is not a hostname: letters, digits and hyphens, parts joined by dots (example: apps.example.com)"
  fi
  check_port --http-port "$http_port"
  check_port --https-port "$https_port"
  if [ "${http_port:-80}" = "${https_port:-443}" ]; then
    usage_error "--http-port and --https-port cannot both be ${http_port:-$https_port}"
  fi
  check_acme
  if [ -n "$key_file" ] && [ ! -r "$key_file" ]; then usage_error "--key $key_file: no such file, or not readable"; fi
  if [ -n "$binary" ] && [ ! -x "$binary" ]; then usage_error "--binary $binary: no such file, or not executable"; fi
}

# They become strings in a TOML file, so what could end one is refused.
check_acme() {
  case $acme_directory in
    '' | letsencrypt | staging) ;;
    *)
      [[ $acme_directory =~ ^https://[^[:space:][:cntrl:]\"\\]+$ ]] ||
        usage_error "--acme-directory $acme_directory is not letsencrypt, staging, or the https URL of an ACME directory"
      ;;
  esac
  if [ -n "$acme_email" ]; then
    [[ $acme_email =~ ^[^[:space:][:cntrl:]\"\\@]+@[^[:space:][:cntrl:]\"\\@]+$ ]] ||
      usage_error "--acme-email $acme_email is not an e-mail address (example: you@example.org)"
  fi
  if [ -n "$acme_root" ]; then check_acme_root; fi
}

# It is copied where everybody may read it.
check_acme_root() {
  [ -r "$acme_root" ] || usage_error "--acme-root $acme_root: no such file, or not readable"
  if grep -qs -e 'PRIVATE KEY' -- "$acme_root"; then usage_error "--acme-root $acme_root holds a private key. Give the certificate alone."; fi
  grep -qs -e '-----BEGIN CERTIFICATE-----' -- "$acme_root" || usage_error "--acme-root $acme_root holds no certificate in PEM"
}

check_port() {
  [ -n "$2" ] || return 0
  [[ $2 =~ ^[1-9][0-9]{0,4}$ && $2 -le 65535 ]] || usage_error "$1 $2 is not a port (1 to 65535)"
}

# Where the rest of the installer lies, empty when this script came through a pipe.
find_here() {
  here=''
  local self=${BASH_SOURCE[0]:-}
  [ "${self##*/}" = install.sh ] && [ -f "$self" ] || return 0
  self=$(realpath -- "$self")
  if [ -f "${self%/*}/scripts/install/install.bash" ]; then here=${self%/*}; fi
}

become_root() {
  [ "$(id -u)" -ne 0 ] || return 0
  command -v sudo >/dev/null || die "Installing needs root, and there is no sudo. Log in as root and run it again."
  exec sudo -- bash "$here/install.sh" "$@"
}

# --- piped from a URL -------------------------------------------------------------------------------------------------

install_release() {
  local base=${PAAS_RELEASE_URL:-$RELEASE_URL_DEFAULT} arch name status=0
  case $(uname -m) in
    x86_64 | aarch64) arch=$(uname -m) ;;
    *) die "There is no release for $(uname -m), only for x86_64 and aarch64. From a clone, ./install.sh builds one." ;;
  esac
  base=${base%/}
  name="paas-$arch-linux.tar.gz"
  check_release_url "$base"
  scratch=$(mktemp -d)
  step "Fetching $base/$name"
  fetch "$base/$name.sha256" "$scratch/$name.sha256"
  fetch "$base/$name" "$scratch/$name"
  check_sum "$scratch" "$name"
  unpack "$scratch" "$name"
  # Not exec: the scratch directory is removed afterwards. Standard input is the rest of this script, which nobody else may eat.
  trap ':' INT
  bash "$scratch/paas/install.sh" "$@" </dev/null || status=$?
  explained=1
  return "$status"
}

check_release_url() {
  if [[ $1 =~ ^https://[^[:space:]]+$ ]]; then return 0; fi
  if [[ $1 =~ ^http://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?(/[^[:space:]]*)?$ ]]; then return 0; fi
  die "PAAS_RELEASE_URL is $1, and only https:// is safe to install from (http:// only from this machine itself)."
}

fetch() {
  local protocols='=https'
  if [[ $1 == http://* ]]; then protocols='=http'; fi
  if command -v curl >/dev/null; then
    curl -fsSL --retry 3 --connect-timeout 20 --proto "$protocols" --proto-redir "$protocols" -o "$2" -- "$1" || fetch_failed "$1"
  elif command -v wget >/dev/null; then
    # wget cannot be told to stay on https over a redirect.
    wget -q --tries=3 --max-redirect=0 -O "$2" -- "$1" || fetch_failed "$1"
  else
    die "Neither curl nor wget is here. Install one (apt-get install curl) and run it again."
  fi
}

fetch_failed() {
  die "Could not fetch $1
Look at the address (PAAS_RELEASE_URL is the directory the release lies in) and at this server's network, then run it again."
}

check_sum() {
  local sum
  sum=$(awk 'NR == 1 { print $1 }' "$1/$2.sha256")
  [[ $sum =~ ^[0-9a-f]{64}$ ]] || die "$2.sha256 does not hold a sha256 sum. Nothing was installed."
  (cd -- "$1" && printf '%s  %s\n' "$sum" "$2" | sha256sum -c --status -) ||
    die "The sha256 of $2 is not the one in $2.sha256: the download is damaged or is not what was released.
Nothing was unpacked or installed. Run it again; if it stays so, tell whoever runs the server it came from."
}

# Only plain files and directories below paas/, whatever the archive says.
unpack() {
  local kinds names
  if ! kinds=$(tar -tvzf "$1/$2" | cut -c1 | sort -u) || ! names=$(tar -tzf "$1/$2"); then
    die "$2 is not a readable archive. Nothing was installed."
  fi
  if grep -qv '[-d]' <<<"$kinds" || grep -qvE '^paas/[A-Za-z0-9._/-]*$' <<<"$names" || grep -qE '(^|/)\.\.(/|$)' <<<"$names"; then
    die "$2 holds names that do not belong in a release. Nothing was installed."
  fi
  tar -xzf "$1/$2" -C "$1" --no-same-owner
  if [ ! -x "$1/paas/paas" ] || [ ! -f "$1/paas/install.sh" ]; then
    die "$2 holds no paas and no install.sh. Nothing was installed."
  fi
}

main() {
  # Not local: the traps read them after main has gone.
  exec 3>&2
  scratch='' explained='' failed_at='' here='' log=''
  set -E
  trap on_exit EXIT
  trap 'on_error "$LINENO" "$BASH_COMMAND" "${BASH_SOURCE[0]:-install.sh}"' ERR
  trap 'on_signal 130' INT
  trap 'on_signal 143' TERM
  trap 'on_signal 129' HUP
  parse_arguments "$@"
  find_here
  if [ -z "$here" ]; then
    install_release "$@"
    return 0
  fi
  become_root "$@"
  # shellcheck source=scripts/install/install.bash
  . "$here/scripts/install/install.bash"
  run_installer
}

# The braces: bash reads to the closing one before it runs anything.
{
  main "$@"
  exit
}
