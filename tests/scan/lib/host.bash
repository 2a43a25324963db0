# shellcheck shell=bash
# One host of the proxy, and the app behind it.

# Two years, what Mozilla asks for.
readonly hsts_seconds=63072000

start_app() {
  python3 "$here/app.py" >"$work/app.out" 2>"$work/app.log" </dev/null &
  pids+=("$!")
  within 20 test -s "$work/app.out"
  app=127.0.0.1:$(<"$work/app.out")
}

serve_host() {
  jq -n --arg host "$host" --rawfile chain "$work/chain.pem" --rawfile key "$work/leaf.key" \
    '{host: $host, chain: $chain, key: $key, trusted: true}' | put "certificates/$host"
  jq -n --arg host "$host" --arg app "$app" --argjson hsts "$hsts_seconds" \
    '{name: "scanned", hosts: [$host], targets: [{id: "one", address: $app}], https: {redirect: true, hsts_seconds: $hsts}}' |
    put services/scanned
  check 'the host answers over HTTPS' visit
}

visit() { curl -sS --fail --cacert "$work/root.pem" --resolve "$host:$https_port:127.0.0.1" "https://$host:$https_port/"; }
