# shellcheck shell=bash
# shellcheck disable=SC2016 # what is quoted runs in the box
# Without systemd: pid files, --stop, and the same data.

pid_of() { in_box cat "/run/paas/$1.pid" 2>/dev/null; }
pids() { in_box_sh 'cat /run/paas/*.pid'; }
runs() { in_box_sh "kill -0 \"\$(cat /run/paas/$1.pid)\""; }

plain_install() {
  local name output
  section "first install, with the example app"
  check "install.sh succeeds" installer --domain "$domain" --example
  output=$said
  contains "it prints the example's URL" "$output" "The example app answers: http://hello\.$domain\$"
  contains "and what starts paas again" "$output" "^ *Without systemd nothing starts paas again .*/install\.sh does\.\$"
  for name in control proxy sshd dockerd; do check "$name runs, with a pid file" runs "$name"; done
  check "paas status" in_box paas status
  equal "the example app answers" 200 "$(status_of hello)"
  trust_root
  check "over HTTPS as well" within 20 answers_tls hello
  equal "the proxy is paas-proxy's" paas-proxy "$(in_box_sh 'ps -o user:20= -p "$(cat /run/paas/proxy.pid)" | tr -d " "')"
  equal "and can bind low ports, nothing else" 0000000000000400 "$(in_box_sh 'awk "/^CapPrm/ {print \$2}" "/proc/$(cat /run/paas/proxy.pid)/status"')"
  equal "nor ever more" 0000000000000400 "$(in_box_sh 'awk "/^CapBnd/ {print \$2}" "/proc/$(cat /run/paas/proxy.pid)/status"')"
  equal "it has no group of root's" "" "$(in_box_sh 'awk "/^Groups/ {print \$2}" "/proc/$(cat /run/paas/proxy.pid)/status"')"
  check "admin's key works" ssh_paas apps:list
  check "install.sh let go of its lock" in_box flock -n /run/lock/paas-install.lock true
}

plain_second_run() {
  local before
  section "a second run"
  before=$(pids)
  check "install.sh succeeds" installer
  equal "and restarted nothing" "$before" "$(pids)"
}

plain_upgrade() {
  local docker sshd control proxy
  section "upgrade"
  docker=$(pid_of dockerd) sshd=$(pid_of sshd) control=$(pid_of control) proxy=$(pid_of proxy)
  in_box_sh 'printf "\n#upgrade" >>/home/admin/paas-binary'
  load_begin /tmp/upgrade.load
  check "install.sh succeeds" installer
  load_end /tmp/upgrade.load
  equal "no request failed" 0 "$(count_not /tmp/upgrade.load '^200 0$')"
  refuse "the proxy is another process" is_equal "$proxy" "$(pid_of proxy)"
  check "with a pid file" runs proxy
  equal "Docker is not restarted" "$docker" "$(pid_of dockerd)"
  equal "nor sshd" "$sshd" "$(pid_of sshd)"
  refuse "control is" is_equal "$control" "$(pid_of control)"
  check "the app answers" within 30 answers hello
}

# A pid file may name a process that is long gone, or somebody else's by now.
plain_dead_processes() {
  section "killed, and a pid file that lies"
  in_box_sh 'kill -KILL "$(cat /run/paas/control.pid)"; setsid -f sleep 1000; pgrep -x sleep | tail -n 1 >/run/paas/control.pid'
  check "install.sh repairs it" installer
  check "paas status" in_box paas status
  check "the other process lives" in_box pgrep -fx 'sleep 1000'
}

plain_stop() {
  local name
  section "--stop and back"
  check "install.sh --stop succeeds" as_admin 'cd paas && ./install.sh --stop'
  for name in control proxy sshd dockerd; do refuse "no pid file of $name" exists "/run/paas/$name.pid"; done
  refuse "none of them runs" in_box pgrep -x 'paas|sshd|dockerd'
  check "the other process lives" in_box pgrep -fx 'sleep 1000'
  check "install.sh --stop again succeeds" as_admin 'cd paas && ./install.sh --stop'
  check "install.sh starts all again" installer
  check "the app answers" within 60 answers hello
}

plain_removal() {
  section "uninstall, again, purge"
  check "--uninstall" installer --uninstall
  refuse "nothing answers" in_box curl -s -o /dev/null --max-time 5 http://127.0.0.1/
  check "the database stays" exists /var/lib/paas/paas.db
  check "install.sh" installer
  check "the app is back" within 60 answers hello
  # The process that has taken over is in no pid file.
  check "the proxy hands over" in_box paas proxy:reload
  check "--purge --yes" installer --purge --yes
  for path in /usr/local/bin/paas /usr/local/lib/paas /etc/paas /var/lib/paas /run/paas /var/log/paas; do
    refuse "$path is gone" exists "$path"
  done
  equal "nothing of ours is in the engine" "" "$(things_of_ours)"
}
