# shellcheck shell=bash
# Attacks by many slow connections, and an honest visitor beside them.

readonly attack_seconds=15 steady_seconds=8 idle_connections=10000
# Each attack is made so often: the machine has quiet and busy moments of its own.
readonly rounds=3
# Of the honest visitor's p99, and of the proxy's memory in MiB.
readonly max_ratio=2 max_memory=300

serve_app() {
  mkdir -p "$work/files"
  truncate -s 8M "$work/files/large"
  local locations=('location = /small { return 200 ok; }' "location /large { root $work/files; }" 'location / { return 200 ok; }')
  start_nginx app "${locations[@]}"
  local app=$nginx
  # What attacks cost the machine and the app, whoever is attacked: another proxy before the same app, which nobody visits.
  start_nginx decoy "location / { proxy_pass http://$app; proxy_http_version 1.1; proxy_request_buffering off; }"
  decoy_port=${nginx##*:}
  jq -n --arg app "$app" '{name: "app", hosts: ["127.0.0.1"], targets: [{id: "one", address: $app}]}' |
    put services/app
  within 20 curl -sf -o "$work/first" "http://127.0.0.1:$http_port/small"
}

# The visitor has a machine of its own: that this one lets him run late is nothing he would see.
honest() { chrt --rr 1 python3 "$here/honest.py" "$http_port" "$1"; }

# The largest it has been, in MiB.
memory() { awk '/^VmHWM:/ { printf "%d", $2 / 1024 }' "/proc/$proxy_pid/status"; }

# slow NAME OPTION...: an attack of slowhttptest, which is to take no processor from those who are measured. It asks the kernel about all its
# connections at once and again, which takes milliseconds in which nobody else gets the processor: that is one of them.
slow() {
  local name=$1
  shift
  chrt --idle 0 taskset --cpu-list "$(($(nproc) - 1))" slowhttptest "$@" -r 1000 -l "$attack_seconds" -p 3 >"$work/$name.out" 2>&1 </dev/null
}

# Each takes a name and the port that is attacked.
slowloris() { slow "$1" -H -c 4000 -i 5 -x 24 -t GET -u "http://127.0.0.1:$2/small"; }
slow_body() { slow "$1" -B -c 4000 -i 5 -x 10 -s 8192 -t POST -u "http://127.0.0.1:$2/small"; }
range() { slow "$1" -R -c 1000 -a 10 -b 3000 -t HEAD -u "http://127.0.0.1:$2/large"; }
slow_read() { slow "$1" -X -c 4000 -w 512 -y 1024 -n 5 -z 32 -k 3 -u "http://127.0.0.1:$2/large"; }

idle() {
  local keep
  mkfifo "$work/$1.in"
  python3 "$here/idle.py" "$2" "$idle_connections" <"$work/$1.in" >"$work/$1.out" 2>&1 &
  pids+=($!)
  exec {keep}>"$work/$1.in"
  within 60 grep -q connected "$work/$1.out"
  sleep "$attack_seconds"
  exec {keep}>&-
  rm "$work/$1.in"
}

# under NAME PORT: what the honest visitor sees during the attack on a port.
under() {
  local seen pid
  "$1" "$1" "$2" &
  pid=$!
  pids+=("$pid")
  # All of them are connected after a few seconds; that is part of it.
  seen=$(honest "$attack_seconds")
  wait "$pid" || true
  printf '%s' "$seen"
}

# attack NAME: measures in each round without it, beside the same attack on the decoy, and under it. Adds a line to the table of the medians, and
# judges by what the proxy adds to what the attack costs the machine.
attack() {
  local name=$1 quiet beside during round state=ok
  for ((round = 1; round <= rounds; round++)); do
    quiet=$(honest "$steady_seconds")
    beside=$(under "$name" "$decoy_port")
    during=$(under "$name" "$http_port")
    jq -n --argjson quiet "$quiet" --argjson beside "$beside" --argjson during "$during" '
      {$quiet, $beside, $during, alone: ($during.p99 / $quiet.p99), ratio: ($during.p99 / $beside.p99)}'
  done >"$work/$name.rounds"
  rows+=("$(jq -rs --arg name "$name" --arg memory "$(memory)" --argjson max "$max_ratio" '
    def median: sort | .[length / 2 | floor];
    def short: . * 100 | round / 100;
    (map(.ratio) | median | short) as $ratio | (map(.during.errors) | add) as $errors |
    [$name, (map(.quiet.p99) | median), (map(.beside.p99) | median), (map(.during.p99) | median), (map(.alone) | median | short),
    $ratio, $errors, $memory, if $ratio > $max or $errors > 0 then "MISSED" else "ok" end] | @tsv' "$work/$name.rounds")")
  [[ ${rows[-1]} == *ok ]] || state=MISSED
  check "$name: the honest visitor's p99 is at most ${max_ratio}x, and nothing fails" [ "$state" = ok ]
}

table() {
  echo "the honest visitor's p99 in µs without the attack, beside the same attack on an nginx before the same app that nobody visits, and under it"
  printf '%-10s %8s %8s %8s %12s %10s %7s %9s\n' attack without beside under of-without of-beside errors 'peak MiB'
  local row
  for row in "${rows[@]}"; do
    # shellcheck disable=SC2086
    (IFS=$'\t'; printf '%-10s %8s %8s %8s %12s %10s %7s %9s %s\n' $row)
  done
}

run_attacks() {
  local name
  rows=()
  for name in slowloris slow_body range slow_read idle; do attack "$name"; done
  table
  check "the proxy never had $max_memory MiB" [ "$(memory)" -lt "$max_memory" ]
  check 'the proxy still runs' kill -0 "$proxy_pid"
}
