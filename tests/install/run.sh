#!/usr/bin/env bash
# install.sh on a throw-away VPS: a debootstrapped Debian or Ubuntu with systemd and its own Docker, run as a container.
# usage: tests/install/run.sh [--bookworm|--trixie|--jammy|--noble] [--binary PATH] [--keep]
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
# shellcheck source=tests/install/cases/first.bash
. "$here/cases/first.bash"
# shellcheck source=tests/install/cases/https.bash
. "$here/cases/https.bash"
# shellcheck source=tests/install/cases/again.bash
. "$here/cases/again.bash"
# shellcheck source=tests/install/cases/sshd.bash
. "$here/cases/sshd.bash"
# shellcheck source=tests/install/cases/removal.bash
. "$here/cases/removal.bash"
# shellcheck source=tests/install/cases/piped.bash
. "$here/cases/piped.bash"

parse_options "$@"
trap on_box_exit EXIT
box_start "$suite" systemd
copy_project "$binary"
make_admin_key

cut_download
interrupted_install
first_install
what_lies_where
who_may_what
https_on_day_one
second_run
own_app_with_volume
reboot_box
killed_proxy
upgrade_under_load
hand_over_under_load
engine_restart_under_load
sshd_trouble
uninstall_keeps_data
purge_leaves_nothing
piped_install
built_from_clone
other_port
finish
