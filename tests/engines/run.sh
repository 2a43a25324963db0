#!/usr/bin/env bash
# The tests of paas-docker on a newer engine than the machine's own: a Debian suite's, in a container of its own. As root.
# usage: tests/engines/run.sh [trixie|sid] [--containerd-store] [--dockerd PATH] [--keep] [TEST...]
#   --containerd-store   images in containerd, as Engine 29 has them by default, and not in the engine's own store
#   --dockerd PATH       this dockerd (statically linked) and not the suite's
#   --keep               leave the engine running
#   TEST                 only the tests whose name has this in it
set -euo pipefail

root=$(realpath -- "$(dirname -- "${BASH_SOURCE[0]}")/../..")
here=$root/tests/engines
# A tree for the engine alone: no systemd.
cache=$root/target/engines
box_packages=docker.io,iptables,ca-certificates
# shellcheck source=tests/install/lib/check.bash
. "$root/tests/install/lib/check.bash"
# shellcheck source=tests/install/lib/box.bash
. "$root/tests/install/lib/box.bash"
# shellcheck source=tests/engines/lib/options.bash
. "$here/lib/options.bash"
# shellcheck source=tests/engines/lib/engine.bash
. "$here/lib/engine.bash"
# shellcheck source=tests/engines/lib/tests.bash
. "$here/lib/tests.bash"

parse_options "$@"
trap on_engine_exit EXIT
build_tests
section "the engine of $suite"
engine_start
engine_describe
check 'clients older than API 1.44 are refused' refuses_api 1.43
section 'the tests of paas-docker'
check_tests
check 'they ran on this engine' engine_made_containers
finish
