# shellcheck shell=bash
# The proxy with one host, the app behind it, and their end.

# Two years, what Mozilla asks for.
readonly hsts_seconds=63072000
app_pid='' proxy_pid=''
declare -A scan_pids=()

start_app() {
  python3 "$here/app.py" >"$work/app.out" 2>"$work/app.log" </dev/null &
  app_pid=$!
  within 20 test -s "$work/app.out"
  app=127.0.0.1:$(<"$work/app.out")
}

start_proxy() {
  "$proxy" "$work/state" 127.0.0.1:0 127.0.0.1:0 "$work/admin.sock" >"$work/proxy.out" 2>"$work/proxy.log" </dev/null &
  proxy_pid=$!
  within 20 grep -q '^ready ' "$work/proxy.out" || { cat "$work/proxy.log"; return 1; }
  port=$(sed -n 's/^ready .* https: \[127\.0\.0\.1:\([0-9]*\)\].*/\1/p' "$work/proxy.out")
}

serve_host() {
  jq -n --arg host "$host" --rawfile chain "$work/chain.pem" --rawfile key "$work/leaf.key" \
    '{host: $host, chain: $chain, key: $key, trusted: true}' | put "certificates/$host"
  jq -n --arg host "$host" --arg app "$app" --argjson hsts "$hsts_seconds" \
    '{name: "scanned", hosts: [$host], targets: [{id: "one", address: $app}], https: {redirect: true, hsts_seconds: $hsts}}' |
    put services/scanned
  check 'the host answers over HTTPS' visit
}

put() { curl -sS --fail-with-body --unix-socket "$work/admin.sock" -X PUT --data-binary @- "http://proxy/v1/$1" >/dev/null; }

visit() { curl -sS --fail --cacert "$work/root.pem" --resolve "$host:$port:127.0.0.1" "https://$host:$port/"; }

on_scan_exit() {
  local code=$? pid
  for pid in "${scan_pids[@]}" $proxy_pid $app_pid; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if [ "$code" = 0 ]; then
    rm -rf "$work"
  else
    echo "what the scanners and the proxy said is in $work"
    [ -n "$finished" ] || echo 'the run broke off'
  fi
}
