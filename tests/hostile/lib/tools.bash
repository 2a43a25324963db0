# shellcheck shell=bash
# What the run needs, and the proxy as it is shipped.

install_tools() {
  local packages=() pair
  for pair in nginx:nginx-light node:nodejs gunicorn:gunicorn slowhttptest:slowhttptest curl:curl jq:jq python3:python3; do
    PATH=$PATH:/usr/sbin command -v "${pair%%:*}" >/dev/null || packages+=("${pair##*:}")
  done
  if [ "${#packages[@]}" -gt 0 ]; then
    as_root apt-get update -q
    # Debian would start nginx on port 80.
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -q -y --no-install-recommends "${packages[@]}"
  fi
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

build_proxy() {
  proxy=${PAAS_HOSTILE_PROXY:-}
  [ -n "$proxy" ] && return
  (cd "$root" && cargo build --quiet --profile dist -p paas-proxy --example proxy)
  proxy=${CARGO_TARGET_DIR:-$root/target}/dist/examples/proxy
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

pids=()

on_exit() {
  local code=$? pid
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if [ "$code" = 0 ]; then
    rm -rf "$work"
  else
    echo "what the servers said is in $work"
    [ -n "$finished" ] || echo 'the run broke off'
  fi
}
