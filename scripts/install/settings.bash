# shellcheck shell=bash
# /etc/paas/paas.toml: written once, never overwritten.

ensure_settings() {
  if [ -e "$config" ]; then
    say_ignored_flags
    return
  fi
  step "Writing $config"
  local address host
  address=$(own_address)
  # ssh and git want the address itself; the name is for people whose server hides behind another address, and for IPv6.
  host=$address
  if [ -n "$domain" ]; then
    host=$domain
  else
    domain="${address//:/-}.sslip.io"
    if [[ $address == *:* ]]; then host=$domain; fi
  fi
  write_settings "$host" >"$config.new"
  chmod 0644 "$config.new"
  sync -- "$config.new"
  mv -f -- "$config.new" "$config"
}

write_settings() {
  local any=0.0.0.0
  # An IPv6 socket takes IPv4 as well.
  if [ -s /proc/net/if_inet6 ]; then any='[::]'; fi
  cat <<TOML
# The settings of paas on this server. After a change: run install.sh again, or restart paas and paas-proxy.

# Apps answer at <app>.<domain>.
domain = "$domain"

[paths]
data = "$data_dir"
run = "$run_dir"

# What people type: git remote add deploy <user>@<host>:<app>
[ssh]
user = "paas"
host = "$1"
port = $(sshd_port)

[docker]
socket = "/var/run/docker.sock"

# Every app's network is a /24 out of this range.
[network]
pool = "10.208.0.0/12"

[proxy]
http = ["$any:${http_port:-80}"]
# For the version that brings TLS. Nothing listens there yet.
https = ["$any:${https_port:-443}"]
socket = "$run_dir/proxy/proxy.sock"

# A build is refused while less than this is free.
[build]
min_free = "2GiB"
TOML
}

# setting SECTION KEY: the value in paas.toml, without quotes; nothing when it is not there. SECTION '' is the top.
setting() {
  awk -v want="$1" -v key="$2" '
    /^[[:space:]]*\[/ { gsub(/[][[:space:]]/, ""); section = $0; next }
    section == want && $0 ~ "^[[:space:]]*" key "[[:space:]]*=" {
      sub(/^[^=]*=[[:space:]]*/, ""); sub(/[[:space:]]+#.*$/, ""); sub(/[[:space:]]+$/, "")
      gsub(/^"|"$/, ""); print; exit
    }' "$config"
}

# The port of the first address in [proxy] http; systemd's socket takes it from here as well.
http_port_setting() {
  local value
  value=$(setting proxy http)
  value=${value%%,*}
  value=${value//[\"\' \]]/}
  value=${value##*:}
  printf '%s' "${value:-80}"
}

# Running again changes nothing but the version, so say which wish was not followed and how to get it.
say_ignored_flags() {
  local port
  port=$(http_port_setting)
  if [ -n "$domain" ] && [ "$domain" != "$(setting '' domain)" ]; then
    warn "--domain $domain is not used: $config is kept and says $(setting '' domain). Change it there and run install.sh again."
  fi
  if [ -n "$http_port" ] && [ "$http_port" != "$port" ]; then
    warn "--http-port $http_port is not used: $config is kept and says $port. Change it there and run install.sh again."
  fi
}

# Somebody else's web server on our port is the most common trouble of a used machine: say so before anything starts.
check_http_port() {
  local port users
  port=$(http_port_setting)
  command -v ss >/dev/null || return 0
  users=$(ss -Hltnp "sport = :$port" 2>/dev/null | sed -n 's/.*users:((\(.*\)))$/\1/p' | grep -v -e '"paas"' -e '"systemd"' | head -n 1) || true
  [ -z "$users" ] || die "Port $port is taken by $(cut -d'"' -f2 <<<"$users") ($(grep -o 'pid=[0-9]*' <<<"$users" | head -n 1)).
Stop that program, or give paas another port with --http-port$([ ! -e "$config" ] || printf ' (now: in %s)' "$config"), and run install.sh again."
}

say_about_address() {
  local name
  name=$(setting '' domain)
  if [[ $name == *.sslip.io ]] && is_private_address "${name%.sslip.io}"; then
    warn "${name%.sslip.io} is a private address, so these names work in this server's own network only. For the internet:
point a domain and its wildcard (*.DOMAIN) at the public address and set it as domain in $config."
  fi
}

say_about_firewall() {
  local status
  command -v ufw >/dev/null || return 0
  status=$(ufw status 2>/dev/null) || return 0
  if grep -q '^Status: active' <<<"$status" && ! grep -qE "^$1(/tcp)?[[:space:]]+ALLOW" <<<"$status"; then
    warn "The firewall is on and does not let port $1 in. To open it: ufw allow $1/tcp"
  fi
}
