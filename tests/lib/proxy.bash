# shellcheck shell=bash
# The example `proxy` of paas-proxy as the runs here drive it, what they install, and their end. `work` is the run's folder, `proxy` the binary.

# Every process of the run that is to end with it.
pids=()

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# missing COMMAND:PACKAGE...: the packages whose commands are not there.
missing() {
  local pair
  for pair; do
    PATH=$PATH:/usr/sbin command -v "${pair%%:*}" >/dev/null || echo "${pair##*:}"
  done
}

# install_packages PACKAGE...: none is fine. Debian would start the servers among them.
install_packages() {
  [ "$#" -gt 0 ] || return 0
  as_root apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -q -y --no-install-recommends "$@"
}

# Sets `proxy_pid`, `http_port` and `https_port`.
start_proxy() {
  "$proxy" "$work/state" 127.0.0.1:0 127.0.0.1:0 "$work/admin.sock" >"$work/proxy.out" 2>"$work/proxy.log" </dev/null &
  proxy_pid=$!
  pids+=("$proxy_pid")
  within 20 grep -q '^ready ' "$work/proxy.out" || { cat "$work/proxy.log"; return 1; }
  http_port=$(port_of http)
  https_port=$(port_of https)
}

port_of() { sed -n "s/^ready .* $1: \[127\.0\.0\.1:\([0-9]*\)\].*/\1/p" "$work/proxy.out"; }

# put PATH: what is read goes to the proxy's admin API.
put() { curl -sS --fail-with-body --unix-socket "$work/admin.sock" -X PUT --data-binary @- "http://proxy/v1/$1" >/dev/null; }

on_exit() {
  local code=$? pid
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if [ "$code" = 0 ]; then
    rm -rf "$work"
  else
    echo "what all of them said is in $work"
    [ -n "$finished" ] || echo 'the run broke off'
  fi
}
