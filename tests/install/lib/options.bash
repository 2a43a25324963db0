# shellcheck shell=bash
# The options both box tests take, and the binary they install.

suite=bookworm
binary=''
keep=''

parse_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --bookworm | --trixie | --jammy | --noble) suite=${1#--} ;;
      --keep) keep=1 ;;
      --binary)
        binary=$2
        shift
        ;;
      *)
        printf 'usage: %s [--bookworm|--trixie|--jammy|--noble] [--binary PATH] [--keep]\n' "$0" >&2
        exit 2
        ;;
    esac
    shift
  done
  if [ -z "$binary" ]; then
    cargo build --quiet --locked --manifest-path "$root/Cargo.toml" -p paas
    binary=$root/target/debug/paas
  fi
}

on_box_exit() {
  local status=$?
  if [ -z "$finished" ]; then printf '\nThe run stopped early: %s passed, %s failed\n' "$passed" "$failed"; fi
  if [ -n "$keep" ]; then
    printf 'The box stays: docker exec -it %s bash; docker rm -f %s && docker volume rm %s\n' "$box" "$box" "$box"
  else
    box_remove
  fi
  exit "$status"
}
