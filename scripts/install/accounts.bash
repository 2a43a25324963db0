# shellcheck shell=bash
# Two system users: `paas` receives pushes, `paas-proxy` carries requests. Neither may touch Docker.

ensure_accounts() {
  check_account paas "$data_dir/home"
  check_account paas-proxy /nonexistent
  # sshd runs the forced command by the login shell, so `paas` has one. It can never start it by itself.
  getent passwd paas >/dev/null ||
    run_logged "adding user paas" useradd --system --user-group --home-dir "$data_dir/home" --no-create-home \
      --shell /bin/sh --comment "paas git push" paas
  getent passwd paas-proxy >/dev/null ||
    run_logged "adding user paas-proxy" useradd --system --user-group --home-dir /nonexistent --no-create-home \
      --shell /usr/sbin/nologin --comment "paas proxy" paas-proxy
  # `!` would make the account locked, which sshd without PAM refuses; `*` only says that no password fits.
  run_logged "setting up user paas" usermod --password '*' --shell /bin/sh paas
}

# A person's account by our name is not ours to take.
check_account() {
  local entry home
  entry=$(getent passwd "$1") || return 0
  home=$(cut -d: -f6 <<<"$entry")
  [ "$home" = "$2" ] || die "There is already a user $1 (home $home) that paas did not make.
Rename or remove it (for example: usermod --login ${1}-old $1) and run install.sh again."
}

remove_accounts() {
  local user
  for user in paas paas-proxy; do
    if getent passwd "$user" >/dev/null; then run_logged "removing user $user" userdel "$user"; fi
    if getent group "$user" >/dev/null; then run_logged "removing group $user" groupdel "$user"; fi
  done
}
