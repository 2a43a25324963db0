#!/usr/bin/env bash
# install.sh where systemd is not PID 1: a plain container, as on many CI machines.
# usage: tests/install/nosystemd.sh [--bookworm|--trixie|--jammy|--noble] [--binary PATH] [--keep]
set -euo pipefail

root=$(realpath -- "$(dirname -- "${BASH_SOURCE[0]}")/../..")
here=$root/tests/install
# shellcheck source=tests/install/lib/check.bash
. "$here/lib/check.bash"
# shellcheck source=tests/install/lib/box.bash
. "$here/lib/box.bash"
# shellcheck source=tests/install/lib/options.bash
. "$here/lib/options.bash"
# shellcheck source=tests/install/lib/questions.bash
. "$here/lib/questions.bash"
# shellcheck source=tests/install/cases/plain.bash
. "$here/cases/plain.bash"

parse_options "$@"
trap on_box_exit EXIT
box_start "$suite" plain
copy_project "$binary"
make_admin_key

plain_install
plain_second_run
plain_upgrade
plain_dead_processes
plain_stop
plain_removal
finish
