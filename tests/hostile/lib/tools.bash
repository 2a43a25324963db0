# shellcheck shell=bash
# What the run needs, and the proxy as it is shipped.

install_tools() {
  local packages
  mapfile -t packages < <(missing nginx:nginx-light node:nodejs gunicorn:gunicorn slowhttptest:slowhttptest curl:curl jq:jq python3:python3)
  install_packages "${packages[@]}"
}

build_proxy() {
  proxy=${PAAS_HOSTILE_PROXY:-}
  [ -n "$proxy" ] && return
  (cd "$root" && cargo build --quiet --profile dist -p paas-proxy --example proxy)
  proxy=${CARGO_TARGET_DIR:-$root/target}/dist/examples/proxy
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
