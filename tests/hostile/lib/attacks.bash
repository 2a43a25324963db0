# shellcheck shell=bash
# Attacks by many slow connections, and an honest visitor beside them.

readonly attack_seconds=15 steady_seconds=8 idle_connections=10000
# Each attack is made so often: the machine has quiet and busy moments of its own.
readonly rounds=5
# Of the honest visitor's p99, and of the proxy's memory in MiB.
readonly max_ratio=2 max_memory=300

# Who attacks has a machine of his own: the last processor, and the proxy, the app and the honest visitor have the others. On one processor the
# tool's own work would be measured: it asks the kernel about thousands of connections at once, a millisecond in which nobody else gets it.
attacker_processor=$(($(nproc) - 1))
separate() {
  if [ "$attacker_processor" = 0 ]; then
    echo 'one processor for all: what the tool takes from the proxy counts as what the attack does'
  else
    taskset --cpu-list --pid "0-$((attacker_processor - 1))" $$ >/dev/null
  fi
  # Nor does anything else that this machine runs take a processor from the proxy and the app: it would come to theirs when the attacker's is
  # busy, for milliseconds each time, and look like what the attack does.
  chrt --rr --pid 1 $$
}
as_attacker() { chrt --other 0 taskset --cpu-list "$attacker_processor" "$@"; }

serve_app() {
  mkdir -p "$work/files"
  truncate -s 8M "$work/files/large"
  local locations=('location = /small { return 200 ok; }' "location /large { root $work/files; }" 'location / { return 200 ok; }')
  # In a container the kernel would hold as little of an answer as this; over loopback, with its large packets, it is megabytes.
  listen_options='sndbuf=64k' start_nginx app "${locations[@]}"
  local app=$nginx
  jq -n --arg app "$app" '{name: "app", hosts: ["127.0.0.1"], targets: [{id: "one", address: $app}]}' |
    put services/app
  within 20 curl -sf -o "$work/first" "http://127.0.0.1:$http_port/small"
}

# The visitor too has a machine of its own: that this one lets him run late is nothing he would see.
honest() { chrt --rr 2 python3 "$here/honest.py" "$http_port" "$1"; }

# The largest it has been, in MiB.
memory() { awk '/^VmHWM:/ { printf "%d", $2 / 1024 }' "/proc/$proxy_pid/status"; }

# slow NAME OPTION...: an attack of slowhttptest. Its output is kept.
slow() {
  local name=$1
  shift
  as_attacker slowhttptest "$@" -r 1000 -l "$attack_seconds" -p 3 >>"$work/$name.out" 2>&1 </dev/null
}

slowloris() { slow slowloris -H -c 4000 -i 5 -x 24 -t GET -u "http://127.0.0.1:$http_port/small"; }
slow_body() { slow slow_body -B -c 4000 -i 5 -x 10 -s 8192 -t POST -u "http://127.0.0.1:$http_port/small"; }
slow_read() { slow slow_read -X -c 1000 -w 512 -y 1024 -n 5 -z 32 -k 3 -u "http://127.0.0.1:$http_port/large"; }

# It is over as soon as all are answered, so it is made again and again.
range() {
  local end=$((SECONDS + attack_seconds))
  while ((SECONDS < end)); do slow range -R -c 1000 -a 10 -b 3000 -t HEAD -u "http://127.0.0.1:$http_port/large"; done
}

idle() {
  local keep said
  mkfifo "$work/idle.in" "$work/idle.to"
  as_attacker python3 "$here/idle.py" "$http_port" "$idle_connections" <"$work/idle.in" >"$work/idle.to" &
  pids+=($!)
  exec {keep}>"$work/idle.in"
  # Not asked for again and again: that would take the processor of those who are measured.
  read -r -t 60 said <"$work/idle.to"
  echo "$said" >>"$work/idle.out"
  sleep "$attack_seconds"
  exec {keep}>&-
  rm "$work/idle.in" "$work/idle.to"
}

# was_made ATTACK: whether its tool says of each round that it did what it was told.
was_made() {
  local said
  said=$(sed 's/\x1b\[[0-9;]*[A-Za-z]//g' "$work/$1.out")
  case "$1" in
    idle) [ "$(grep -cx "connected $idle_connections" <<<"$said")" = "$rounds" ] ;;
    range) [ "$(grep -c 'No open connections left' <<<"$said")" -ge $((rounds * attack_seconds / 2)) ] ;;
    *)
      # The most that were connected in each round are nine of ten.
      awk -v rounds="$rounds" '/^number of connections:/ { want = $4 } /^connected:/ && $2 > most { most = $2 }
        /^Test ended/ { ended++; made += most >= 0.9 * want; most = 0 } END { exit ended != rounds || made != rounds }' <<<"$said"
      ;;
  esac
}

# under ATTACK: what the honest visitor sees during it.
under() {
  local seen pid
  "$1" &
  pid=$!
  pids+=("$pid")
  # All of them are connected after a few seconds; that is part of it.
  seen=$(honest "$attack_seconds")
  wait "$pid" || true
  printf '%s' "$seen"
}

# attack NAME: measures in each round without it and under it, and adds a line of the medians to the table.
attack() {
  local name=$1 quiet during round state=ok
  for ((round = 1; round <= rounds; round++)); do
    quiet=$(honest "$steady_seconds")
    during=$(under "$name")
    jq -n --argjson quiet "$quiet" --argjson during "$during" '{$quiet, $during, ratio: ($during.p99 / $quiet.p99)}'
  done >"$work/$name.rounds"
  rows+=("$(jq -rs --arg name "$name" --arg memory "$(memory)" --argjson max "$max_ratio" '
    def median: sort | .[length / 2 | floor];
    def short: . * 100 | round / 100;
    (map(.ratio) | median | short) as $ratio | (map(.during.errors) | add) as $errors |
    [$name, (map(.quiet.p99) | median), (map(.during.p99) | median), $ratio, (map(.ratio) | "\(min | short)-\(max | short)"),
    $errors, $memory, if $ratio > $max or $errors > 0 then "MISSED" else "ok" end] | @tsv' "$work/$name.rounds")")
  [[ ${rows[-1]} == *ok ]] || state=MISSED
  check "$name: the attack was made" was_made "$name"
  check "$name: the honest visitor's p99 is at most ${max_ratio}x, and nothing fails" [ "$state" = ok ]
}

table() {
  echo "the honest visitor's p99 in µs without the attack and under it"
  printf '%-10s %8s %8s %6s %11s %7s %9s\n' attack without under ratio spread errors 'peak MiB'
  local row
  for row in "${rows[@]}"; do
    # shellcheck disable=SC2086
    (IFS=$'\t'; printf '%-10s %8s %8s %6s %11s %7s %9s %s\n' $row)
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
