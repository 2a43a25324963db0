# shellcheck shell=bash
# sshd configurations that are not as a fresh server's.

readonly drop_in=/etc/ssh/sshd_config.d/paas.conf

sshd_trouble() {
  section "sshd"
  in_box cp /etc/ssh/sshd_config /tmp/sshd_config.good
  allow_users
  no_include
  broken_main
  refused_drop_in
  check "at the end all is as it was" in_box cmp /tmp/sshd_config.good /etc/ssh/sshd_config
  check "and admin's key still works" ssh_paas version
}

restore_sshd() { in_box_sh 'cp /tmp/sshd_config.good /etc/ssh/sshd_config && systemctl try-reload-or-restart ssh.service'; }

allow_users() {
  in_box_sh 'printf "AllowUsers admin\nForceCommand /bin/false\n" >>/etc/ssh/sshd_config && systemctl try-reload-or-restart ssh.service'
  check "AllowUsers and ForceCommand of the server's own do not lock paas out" within 10 ssh_paas version
  restore_sshd
}

no_include() {
  in_box_sh "sed -i '/^Include/d' /etc/ssh/sshd_config; rm $drop_in; cp -p /etc/ssh/sshd_config /tmp/sshd_config.bare; systemctl try-reload-or-restart ssh.service"
  refuse "without the drop-in the key is refused" ssh_paas version
  check "install.sh succeeds without an Include" installer
  check "and the key works" within 10 ssh_paas version
  equal "by one line more" 1 "$(in_box_sh 'diff /tmp/sshd_config.bare /etc/ssh/sshd_config | grep -c "^>"')"
  check "a further run succeeds" installer
  equal "and adds no other" 1 "$(in_box_sh 'diff /tmp/sshd_config.bare /etc/ssh/sshd_config | grep -c "^>"')"
  restore_sshd
}

broken_main() {
  in_box_sh "echo 'NoSuchOption yes' >>/etc/ssh/sshd_config; mv $drop_in /tmp/drop-in"
  refuse "install.sh refuses a broken sshd_config" installer
  contains "it shows sshd's own words" "$said" 'NoSuchOption'
  refuse "and leaves no drop-in" exists "$drop_in"
  in_box mv /tmp/drop-in "$drop_in"
  restore_sshd
}

refused_drop_in() {
  in_box_sh 'cp /home/admin/paas/systemd/sshd.conf /tmp/sshd.conf; sed -i "s/^Match all/    NoSuchOption yes\nMatch all/" /home/admin/paas/systemd/sshd.conf'
  refuse "a drop-in that sshd refuses ends it" installer
  contains "with sshd's own words" "$said" 'NoSuchOption'
  check "the one before is back" in_box cmp /tmp/sshd.conf "$drop_in"
  in_box rm "$drop_in"
  refuse "without one before" installer
  refuse "none stays" exists "$drop_in"
  in_box cp /tmp/sshd.conf /home/admin/paas/systemd/sshd.conf
  check "repaired, it goes on" installer
}
