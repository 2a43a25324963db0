# shellcheck shell=bash
# The scanners, each leaving its findings as JSON in the run's folder.

readonly scan_deadline=900
declare -A scan_pids=()

# start_testssl NAME ARGUMENT...: everything it tests by itself, beside the other scans.
start_testssl() {
  local name=$1
  shift
  timeout --kill-after=10 "$scan_deadline" testssl --warnings batch --color 0 --nodns none \
    --jsonfile "$work/$name.json" "$@" >"$work/$name.out" 2>&1 </dev/null &
  scan_pids[$name]=$!
  pids+=("$!")
}

# await_testssl NAME: its exit code counts what it found; whether it came to its end stands in its findings.
await_testssl() { wait "${scan_pids[$1]}" || true; }

is_whole() {
  jq -e 'any(.[]; .id == "scanTime" and .severity == "INFO")' "$work/$1.json" >/dev/null || {
    tail -n 20 "$work/$1.out"
    return 1
  }
}

# SSLyze ends well too when it could not connect, and when a scan broke off that Mozilla's rules do not need.
run_sslyze() {
  timeout "$scan_deadline" "$venv/bin/python" -W ignore -m sslyze --certinfo_ca_file "$work/root.pem" --mozilla_config intermediate \
    --early_data --resum --http_headers --json_out "$work/sslyze.json" "$host:$https_port{127.0.0.1}" || return 1
  jq -e --argjson hsts "$hsts_seconds" '
    .server_scan_results | length == 1 and (.[0] |
      .scan_status == "COMPLETED"
      and all(.scan_result[]; .status == "COMPLETED" or .status == "NOT_SCHEDULED")
      and (.scan_result.tls_1_3_early_data.result.supports_early_data | not)
      and (.scan_result.session_renegotiation.result.is_vulnerable_to_client_renegotiation_dos | not)
      and .scan_result.http_headers.result.strict_transport_security_header.max_age == $hsts)' "$work/sslyze.json"
}

# resumes VERSION: testssl.sh closes before a ticket of TLS 1.3 has come, and SSLyze counts a ticket as not taken when it is
# answered with a newer one (RFC 5077, 3.3).
resumes() {
  local session=$work/session$1 first second
  first=$(ask "$1" -sess_out "$session")
  second=$(ask "$1" -sess_in "$session")
  grep -q '^New, ' <<<"$first" && grep -q '^Reused, ' <<<"$second"
}

ask() {
  local version=$1
  shift
  printf 'GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$host" |
    timeout 30 openssl s_client "$version" -connect "127.0.0.1:$https_port" -servername "$host" -CAfile "$work/root.pem" \
      -verify_return_error -ign_eof "$@" 2>&1
}

# check_findings NAME: prints them, so not by way of `check`.
check_findings() {
  section "findings $1"
  if python3 "$here/findings.py" "$1" "$work/$1.json"; then
    passed=$((passed + 1))
    echo 'ok    nothing of MEDIUM or above'
  else
    failed=$((failed + 1))
  fi
}
