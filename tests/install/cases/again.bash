# shellcheck shell=bash
# shellcheck disable=SC2016 # what is quoted runs in the box
# What follows the first install: the same again, a reboot, a killed proxy, an upgrade.

second_run() {
  local before output
  section "a second run"
  before=$(state_of_box)
  check "install.sh succeeds" installer --domain "$domain"
  refuse "it says nothing of terms again" grep -q "Let's Encrypt" <<<"$said"
  equal "and changed nothing" "$before" "$(state_of_box)"
  check "with other wishes too" installer --domain other.test --https-port 8443 --acme-directory staging
  output=$said
  contains "another --domain is not taken, and it says so" "$output" '--domain other\.test is not used'
  contains "nor another --https-port" "$output" '--https-port 8443 is not used'
  contains "nor another --acme-directory" "$output" '--acme-directory staging is not used: .* says letsencrypt'
  equal "and changed nothing" "$before" "$(state_of_box)"
  check "the example again" installer --example
  in_box flock /run/lock/paas-install.lock sleep 20 &
  check "the lock is taken" within 10 fails in_box flock -n /run/lock/paas-install.lock true
  contains "two at once: the second says so" "$(installer 2>&1 || true)" 'Another install.sh is running'
  in_box pkill -x sleep
  wait
}

# An app that counts in a volume, pushed by admin.
own_app_with_volume() {
  section "an app with a volume"
  tar -C "$here" -c keeper | in_box tar -x -C /home/admin
  in_box tee /home/admin/keeper/busybox </bin/busybox >/dev/null
  in_box_sh 'chmod 0755 /home/admin/keeper/busybox; chown -R admin:admin /home/admin/keeper'
  check "apps:create" ssh_paas apps:create keeper
  check "storage:create" ssh_paas storage:create keeperdata
  check "storage:mount" ssh_paas storage:mount keeper keeperdata:/data
  check "git push" as_admin 'cd keeper && git init -q -b main && git add -A && git -c user.name=a -c user.email=a@example.com commit -qm one &&
    git remote add deploy paas@127.0.0.1:keeper && git push deploy main'
  equal "it counts" 1 "$(body_of keeper /cgi-bin/count)"
  equal "it counts on" 2 "$(body_of keeper /cgi-bin/count)"
}

reboot_box() {
  section "reboot"
  check "the box comes back" box_restart
  check "hello answers by itself" within 60 answers hello
  check "hello answers over HTTPS" within 20 answers_tls hello
  check "keeper answers by itself" within 60 answers keeper
  equal "its data is there" 3 "$(body_of keeper /cgi-bin/count)"
  check "no unit failed" fails in_box_sh 'systemctl --failed --no-legend --plain | grep paas'
}

# Kills the proxy and gives the milliseconds until a visitor is answered who comes when it is dead.
killed_and_back() {
  in_box_sh "export old=\$(systemctl show -p MainPID --value paas-proxy.service) begin=\$(date +%s%3N)
    systemctl kill -s KILL paas-proxy.service
    timeout 20 bash -c 'while [ -e /proc/\$old/exe ]; do :; done
      until curl -sf -o /dev/null --max-time 10 -H \"Host: hello.$domain\" http://127.0.0.1/; do :; done'
    echo \$((\$(date +%s%3N) - begin))"
}

killed_proxy() {
  local took
  section "kill -9 of the proxy, and a restart, under load"
  load_begin /tmp/kill.load
  # A visitor who comes right after it has died waits no longer than this.
  took=$(killed_and_back || echo 99999)
  check "routes are back within 1.5 s (after $took ms)" test "$took" -le 1500
  load_end /tmp/kill.load
  # What was in flight may be lost (52, 56). Refused (7) would mean that the socket was closed.
  equal "no connection refused" 0 "$(in_box_sh "grep -cE ' 7\$' /tmp/kill.load || true")"
  in_box systemctl stop paas.service
  in_box systemctl kill -s KILL paas-proxy.service
  check "HTTPS too, and without control" within 20 answers_tls hello
  in_box systemctl start paas.service
  load_begin /tmp/restart.load
  in_box systemctl restart paas-proxy.service
  load_end /tmp/restart.load
  equal "a restart fails no request" 0 "$(count_not /tmp/restart.load '^200 0$')"
}

upgrade_under_load() {
  local containers
  section "upgrade under load, from a version without TLS"
  as_before_https
  containers=$(in_box_sh 'docker ps -q --no-trunc | sort')
  in_box cp /usr/local/bin/paas /tmp/paas.before
  in_box_sh 'printf "\n#upgrade" >>/home/admin/paas-binary'
  load_begin /tmp/upgrade.load
  check "install.sh succeeds" installer
  contains "it says whose terms hold" "$said" "Let's Encrypt"
  load_end /tmp/upgrade.load
  equal "no request failed" 0 "$(count_not /tmp/upgrade.load '^200 0$')"
  check "HTTPS answers" within 20 answers_tls hello
  check "and will after a reboot" in_box systemctl is-enabled --quiet paas-proxy-https.socket
  check "the new binary is in place" in_box cmp /home/admin/paas-binary /usr/local/bin/paas
  check "the old one is kept" in_box cmp /tmp/paas.before /usr/local/bin/paas.prev
  check "control runs the new one" in_box_sh 'cmp /proc/"$(systemctl show -p MainPID --value paas)"/exe /home/admin/paas-binary'
  check "the proxy runs the new one" in_box_sh 'cmp /proc/"$(systemctl show -p MainPID --value paas-proxy)"/exe /home/admin/paas-binary'
  equal "the apps' containers are the same" "$containers" "$(in_box_sh 'docker ps -q --no-trunc | sort')"
}

engine_restart_under_load() {
  local containers
  section "a restart of Docker under load"
  containers=$(in_box_sh 'docker ps -q --no-trunc | sort')
  load_begin /tmp/engine.load
  check "systemctl restart docker" in_box systemctl restart docker.service
  check "Docker answers" within 30 in_box docker version
  check "the apps' containers are the same" is_equal "$containers" "$(in_box_sh 'docker ps -q --no-trunc | sort')"
  load_end /tmp/engine.load
  equal "no request failed" 0 "$(count_not /tmp/engine.load '^200 0$')"
  check "control works with it" within 30 ssh_paas ps:restart keeper
  check "keeper answers" within 20 answers keeper
}

main_pid() { in_box systemctl show -p MainPID --value paas-proxy.service; }
has_another_main_pid() { [ "$(main_pid)" != "$1" ]; }

hand_over_under_load() {
  local before after
  section "systemctl reload of the proxy, and an upgrade, under load"
  before=$(main_pid)
  load_begin /tmp/reload.load
  check "systemctl reload succeeds" in_box systemctl reload paas-proxy.service
  check "systemd knows the new process" within 5 has_another_main_pid "$before"
  check "the unit is active" active paas-proxy.service
  check "paas status" in_box paas status
  # 30 s for what is under way, 5 s for what does not end by itself then, and one for us to see it.
  check "the old process ends" within 36 fails in_box test -e "/proc/$before/cmdline"
  load_end /tmp/reload.load
  equal "no request failed" 0 "$(count_not /tmp/reload.load '^200 0$')"

  before=$(main_pid)
  in_box_sh 'printf "\n#upgrade again" >>/home/admin/paas-binary'
  load_begin /tmp/replace.load
  check "install.sh succeeds" installer
  load_end /tmp/replace.load
  equal "no request failed" 0 "$(count_not /tmp/replace.load '^200 0$')"
  check "the proxy is another process" has_another_main_pid "$before"
  check "of the new binary" in_box_sh 'cmp /proc/"$(systemctl show -p MainPID --value paas-proxy)"/exe /home/admin/paas-binary'
  equal "and was not restarted" 0 "$(in_box systemctl show -p NRestarts --value paas-proxy.service)"

  after=$(main_pid)
  in_box kill -KILL "$after"
  check "killed after a hand-over, it is started again" within 5 has_another_main_pid "$after"
  check "and serves" within 20 answers hello

  before=$(main_pid)
  # It can ask for the hand-over, and cannot take over.
  in_box_sh 'mv /usr/local/bin/paas /usr/local/bin/paas.good
    printf "#!/bin/sh\ncase \"\$*\" in *--take-over*) exit 1 ;; esac\nexec /usr/local/bin/paas.good \"\$@\"\n" >/usr/local/bin/paas
    chmod 0755 /usr/local/bin/paas'
  refuse "a reload to a binary that does not start fails" in_box systemctl reload paas-proxy.service
  in_box mv /usr/local/bin/paas.good /usr/local/bin/paas
  equal "and the old process serves on" "$before" "$(main_pid)"
  check "the app answers" answers hello
}
