# shellcheck shell=bash
# Uninstall, install again, purge.

uninstall_keeps_data() {
  local config keys
  section "uninstall and reinstall"
  config=$(in_box sha256sum /etc/paas/paas.toml)
  keys=$(in_box sha256sum /var/lib/paas/ssh/authorized_keys)
  check "install.sh --uninstall succeeds (from the server's own copy)" in_box /usr/local/lib/paas/install.sh --uninstall
  for path in /usr/local/bin/paas /usr/local/bin/paas.prev /usr/local/lib/paas /etc/systemd/system/paas.service \
    /etc/systemd/system/paas-proxy.socket /etc/systemd/system/paas-proxy-https.socket /etc/systemd/system/paas-proxy.service.wants \
    /etc/ssh/sshd_config.d/paas.conf; do
    refuse "$path is gone" exists "$path"
  done
  refuse "nothing listens on port 80" in_box curl -s -o /dev/null --max-time 5 http://127.0.0.1/
  refuse "nor on port 443" in_box curl -sk -o /dev/null --max-time 5 https://127.0.0.1/
  refuse "paas cannot log in" ssh_paas version
  equal "no app runs" "" "$(in_box docker ps -q --filter label=dev.paas.instance)"
  check "the database stays" exists /var/lib/paas/paas.db
  check "the volume stays" in_box docker volume inspect paas-keeperdata
  check "a second --uninstall succeeds" as_admin 'cd paas && ./install.sh --uninstall'

  check "install.sh again" installer
  check "hello is back" within 60 answers hello
  check "HTTPS is back, by the same authority" within 20 answers_tls hello
  check "keeper is back" within 60 answers keeper
  equal "with its volume" 4 "$(body_of keeper /cgi-bin/count)"
  equal "the same config" "$config" "$(in_box sha256sum /etc/paas/paas.toml)"
  equal "the same keys" "$keys" "$(in_box sha256sum /var/lib/paas/ssh/authorized_keys)"
  check "admin's key works" ssh_paas apps:list
}

purge_leaves_nothing() {
  section "purge"
  in_box docker volume create not-ours >/dev/null
  refuse "without a terminal and --yes it does nothing" in_box setsid -w /home/admin/paas/install.sh --purge
  check "the apps are still there" answers hello
  check "install.sh --purge --yes succeeds" as_admin 'cd paas && ./install.sh --purge --yes'
  nothing_left
  check "what is not ours stays" in_box docker volume inspect not-ours

  section "purge when control is dead"
  check "install.sh" installer --domain "$domain" --example
  in_box_sh 'systemctl stop paas.service; rm /usr/local/bin/paas; printf "#!/bin/sh\nexit 1\n" >/usr/local/bin/paas; chmod 0755 /usr/local/bin/paas'
  check "install.sh --purge --yes succeeds" as_admin 'cd paas && ./install.sh --purge --yes'
  nothing_left
}

nothing_left() {
  local path user
  for path in /usr/local/bin/paas /usr/local/lib/paas /etc/paas /var/lib/paas /run/paas "$drop_in"; do
    refuse "$path is gone" exists "$path"
  done
  equal "no unit is left" "" "$(in_box find /etc/systemd/system -name 'paas*')"
  for user in paas paas-proxy; do refuse "user $user is gone" in_box getent passwd "$user"; done
  equal "nothing of ours is in the engine" "" "$(things_of_ours)"
}
