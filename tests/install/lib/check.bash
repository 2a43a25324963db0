# shellcheck shell=bash
# Counting what passed and what failed; a failure shows what the command said and the run goes on.

passed=0
failed=0
finished=''
# What the command of the last check said.
said=''

section() { printf '\n== %s\n' "$*"; }

# check NAME COMMAND...: passes when the command succeeds.
check() {
  local name=$1
  shift
  if said=$("$@" 2>&1); then
    passed=$((passed + 1))
    printf 'ok    %s\n' "$name"
  else
    failed=$((failed + 1))
    printf 'FAIL  %s\n' "$name"
    tail -n 25 <<<"$said" | sed 's/^/      | /'
  fi
}

# refuse NAME COMMAND...: passes when the command fails.
refuse() {
  local name=$1
  shift
  check "$name" fails "$@"
}

fails() { ! "$@"; }

# equal NAME WANT GOT
equal() { check "$1" is_equal "$2" "$3"; }

is_equal() {
  [ "$1" = "$2" ] || {
    printf 'want: %s\n got: %s\n' "$1" "$2"
    return 1
  }
}

# contains NAME TEXT PATTERN
contains() { check "$1" does_contain "$2" "$3"; }

does_contain() {
  grep -qE -- "$2" <<<"$1" || {
    printf 'no line like: %s\nin:\n%s\n' "$2" "$1"
    return 1
  }
}

# within SECONDS COMMAND...: polls until it succeeds; fails after that long with what it said last.
within() {
  local deadline=$((SECONDS + $1)) output
  shift
  until output=$("$@" 2>&1); do
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf '%s\n' "$output"
      return 1
    fi
    sleep 0.1
  done
}

finish() {
  finished=1
  printf '\n%s passed, %s failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}
