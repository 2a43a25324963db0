# shellcheck shell=bash
# The options, and what is left when the run ends.

suite=trixie
store=docker
dockerd=''
keep=''
only=()

parse_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      trixie | sid) suite=$1 ;;
      --containerd-store) store=containerd ;;
      --dockerd)
        dockerd=$2
        shift
        ;;
      --keep) keep=1 ;;
      -*)
        printf 'usage: %s [trixie|sid] [--containerd-store] [--dockerd PATH] [--keep] [TEST...]\n' "$0" >&2
        exit 2
        ;;
      *) only+=("$1") ;;
    esac
    shift
  done
}

on_engine_exit() {
  local status=$?
  if [ -z "$finished" ]; then printf '\nThe run stopped early: %s passed, %s failed\n' "$passed" "$failed"; fi
  if [ -n "$keep" ]; then
    printf 'The engine stays: docker -H unix://%s ps; docker rm -f %s && docker volume rm %s\n' "$engine_socket" "$box" "$box"
  else
    box_remove
    rm -rf -- "$engine_folder"
  fi
  exit "$status"
}
