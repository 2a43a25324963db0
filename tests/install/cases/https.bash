# shellcheck shell=bash
# shellcheck disable=SC2016 # what is quoted runs in the box
# HTTPS: certificates of the server's own authority (no public one signs names below .test), and the sockets.

https_on_day_one() {
  section "HTTPS on day one"
  trust_root
  check "the example app answers" within 20 answers_tls hello
  refuse "its certificate is not one that everybody trusts" in_box curl -s -o /dev/null --resolve "hello.$domain:443:127.0.0.1" "https://hello.$domain/"
  equal "so HTTP is not redirected" 200 "$(status_of hello)"
  contains "HTTP/2 is offered" "$(in_box curl -s -o /dev/null -w 'HTTP/%{http_version}' --cacert "$root_file" --resolve "hello.$domain:443:127.0.0.1" "https://hello.$domain/")" 'HTTP/2'
  equal "the certificates' directory" "paas-proxy:paas-proxy 700" "$(owner_and_mode /var/lib/paas/proxy/certificates)"
  contains "paas.toml says who signs" "$(in_box cat /etc/paas/paas.toml)" '^directory = "letsencrypt"$'
}

# What an installation has whose version knew no TLS: no such unit, and settings that say so.
as_before_https() {
  in_box_sh '
    systemctl disable -q --now paas-proxy-https.socket
    cd /etc/systemd/system
    rm paas-proxy-https.socket paas-proxy-http3.socket /usr/local/lib/paas/systemd/paas-proxy-http*.socket
    sed -i "s/^After=.*/After=network.target paas-proxy.socket/" paas-proxy.service
    sed -i -e "/^http3/d" -e "/^\[acme\]/,\$d" -e "s/^https = /# For the version that brings TLS. Nothing listens there yet.\n&/" /etc/paas/paas.toml
    sha256sum </etc/paas/paas.toml >/var/lib/paas/.settings.sha256
    systemctl daemon-reload; systemctl restart paas-proxy.service'
  refuse "before it nothing listens on port 443" in_box curl -sk -o /dev/null --max-time 5 https://127.0.0.1/
}

http3_follows_the_setting() {
  refuse "no socket for HTTP/3 as long as nobody wants one" in_box systemctl is-enabled paas-proxy-http3.socket
  set_http3 false true
  check "with http3 = true it is open" active paas-proxy-http3.socket
  check "and stays so over a reboot" in_box systemctl is-enabled --quiet paas-proxy-http3.socket
  contains "at the port of HTTPS" "$(in_box ss -Hlun)" ':8444 '
  check "the proxy has it" in_box_sh 'ss -Hlunp "sport = :8444" | grep -q "\"paas\""'
  check "the app answers" within 20 answers_tls hello / 8444
  set_http3 true false
  refuse "with http3 = false it is closed" active paas-proxy-http3.socket
  equal "by the proxy too" "" "$(in_box ss -Hlun 'sport = :8444')"
  refuse "and stays so" in_box systemctl is-enabled paas-proxy-http3.socket
  check "the app answers" within 20 answers_tls hello / 8444
}

set_http3() {
  in_box sed -i "s/^http3 = $1\$/http3 = $2/" /etc/paas/paas.toml
  check "install.sh with http3 = $2" installer
}
