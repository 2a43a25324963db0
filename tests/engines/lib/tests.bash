# shellcheck shell=bash
# The crate's tests against the engine in the box. They run in the box's network, so that what they serve on loopback is on the engine's loopback
# too; files and processes are this machine's.

# The promises on the fake engine are no news here.
readonly real='binary(docker) + (binary(contract) & test(/^docker::/))'

with_nextest() { cargo nextest --version >/dev/null 2>&1; }

build_tests() { cargo test --quiet --locked --manifest-path "$root/Cargo.toml" -p paas-docker --test docker --test contract --no-run; }

check_tests() {
  local threads=()
  # containerd's store can lose a layer that a build is about to use when an image that has it too is removed at that moment.
  [ "$store" = docker ] || threads=(--test-threads 1)
  if with_nextest; then
    check_nextest
  else
    check 'what only a real engine shows' on_engine cargo test --locked --offline -p paas-docker --test docker -- "${threads[@]}" "${only[@]}"
    check 'the contract' on_engine cargo test --locked --offline -p paas-docker --test contract -- "${threads[@]}" --skip fake:: "${only[@]}"
  fi
}

check_nextest() {
  local name filter=''
  for name in "${only[@]}"; do filter+="${filter:+ + }test($name)"; done
  check 'all pass' on_engine cargo nextest run "${threads[@]}" --locked --offline -p paas-docker -E "(${filter:-all()}) & ($real)"
  printf '%s\n' "$said" >"$cache/tests.log"
  grep -E '^ +(FAIL|TIMEOUT|Summary) ' <<<"$said" | sort -u || printf 'The whole output: %s\n' "$cache/tests.log"
}

on_engine() {
  (cd "$root" && PAAS_REQUIRE_DOCKER=1 PAAS_TEST_DOCKER_SOCKET=$engine_socket \
    nsenter "--net=/proc/$(docker inspect --format '{{.State.Pid}}' "$box")/ns/net" "$@")
}
