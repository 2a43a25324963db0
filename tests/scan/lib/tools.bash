# shellcheck shell=bash
# The scanners, and the proxy to be scanned.

readonly sslyze_version=6.3.1
venv=$cache/sslyze-$sslyze_version

install_tools() {
  local packages
  mapfile -t packages < <(missing testssl:testssl.sh openssl:openssl curl:curl jq:jq python3:python3)
  python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
  install_packages "${packages[@]}"
  install_sslyze
  testssl --version 2>/dev/null </dev/null | awk '!version && match($0, /[0-9]+\.[0-9]+(\.[0-9]+)?/) && /testssl/ { version = substr($0, RSTART, RLENGTH) } END { print "testssl.sh", version }'
  "$venv/bin/python" -m sslyze --help | grep -o 'SSLyze version .*'
}

# Whole or not there: an installation that broke off is begun again.
install_sslyze() {
  [ -e "$venv/complete" ] && return
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "sslyze==$sslyze_version"
  touch "$venv/complete"
}

build_proxy() {
  proxy=${PAAS_SCAN_PROXY:-}
  [ -n "$proxy" ] && return
  (cd "$root" && cargo build --quiet -p paas-proxy --example proxy)
  proxy=${CARGO_TARGET_DIR:-$root/target}/debug/examples/proxy
}
