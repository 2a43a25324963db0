# shellcheck shell=bash
# /etc/paas/paas.toml: written once, never overwritten.

readonly acme_root_copy=/etc/paas/acme-root.pem

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
  if [ -n "$acme_root" ]; then put_file "$acme_root" "$acme_root_copy" 0644; fi
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
https = ["$any:${https_port:-443}"]
# true: also HTTP/3, at the port of https over UDP.
http3 = false
socket = "$run_dir/proxy/proxy.sock"

# A build is refused while less than this is free.
[build]
min_free = "2GiB"

# Who signs the certificates: letsencrypt, staging (for trials), or the URL of an authority's ACME directory.
[acme]
directory = "${acme_directory:-letsencrypt}"
TOML
  if [ -n "$acme_email" ]; then printf '# Told to the authority.\nemail = "%s"\n' "$acme_email"; fi
  if [ -n "$acme_root" ]; then printf "# The roots of a private authority.\nroot = \"%s\"\n" "$acme_root_copy"; fi
}

# setting SECTION KEY: the value in paas.toml, without quotes; nothing when it is not there. SECTION '' is the top.
setting() {
  awk -v want="$1" -v key="$2" '
    /^[[:space:]]*\[/ { gsub(/[][[:space:]]/, ""); section = $0; next }
    section == want && $0 ~ "^[[:space:]]*" key "[[:space:]]*=" {
      sub(/^[^=]*=[[:space:]]*/, ""); value = bare($0)
      # A list may go over several lines.
      while (value ~ /^\[/ && value !~ /\]$/ && (getline) > 0) value = value bare($0)
      gsub(/^"|"$/, "", value); print value; exit
    }
    function bare(line) { sub(/(^|[[:space:]]+)#.*$/, "", line); gsub(/^[[:space:]]+|[[:space:]]+$/, "", line); return line }' "$config"
}

# port_setting http|https: the port of the first address, the usual one when the setting is not there, nothing when its list is
# empty. systemd's sockets take it from here as well.
port_setting() {
  local value
  value=$(setting proxy "$1")
  if [ -z "$value" ]; then
    if [ "$1" = http ]; then printf 80; else printf 443; fi
    return
  fi
  value=${value%%,*}
  value=${value//[\"\' \]]/}
  value=${value##*:}
  printf '%s' "${value#[}"
}

wants_http3() { [ "$(setting proxy http3)" = true ]; }

# Running again changes nothing but the version, so say which wish was not followed and how to get it.
say_ignored_flags() {
  say_ignored --domain "$domain" "$(setting '' domain)"
  say_ignored --http-port "$http_port" "$(port_setting http)"
  say_ignored --https-port "$https_port" "$(port_setting https)"
  say_ignored --acme-directory "$acme_directory" "$(acme_directory_setting)"
  say_ignored --acme-email "$acme_email" "$(setting acme email)"
  local root
  root=$(setting acme root)
  if [ -n "$acme_root" ] && ! cmp -s -- "$acme_root" "$root"; then say_ignored --acme-root "$acme_root" "$root"; fi
}

# say_ignored FLAG WANTED KEPT
say_ignored() {
  if [ -z "$2" ] || [ "$2" = "$3" ]; then return 0; fi
  warn "$1 $2 is not used: $config is kept and says ${3:-nothing of it}. Change it there and run install.sh again."
}

acme_directory_setting() {
  local value
  value=$(setting acme directory)
  printf '%s' "${value:-letsencrypt}"
}

# Once, when the first version that asks an authority is installed: the copy of the installer before this one had no such socket.
say_about_terms() {
  local directory host
  [ ! -e "$lib_dir/systemd/paas-proxy-https.socket" ] || return 0
  directory=$(acme_directory_setting)
  case $directory in
    letsencrypt | staging | letsencrypt-staging | https://*.api.letsencrypt.org/*)
      info "Certificates come from Let's Encrypt. Installing means agreeing to its terms: https://letsencrypt.org/repository/"
      ;;
    https://*)
      # A private authority is known by its root and has no strangers to make terms with.
      [ -z "$(setting acme root)" ] || return 0
      host=${directory#https://}
      info "Certificates come from ${host%%/*}. Installing means agreeing to the terms of that authority."
      ;;
  esac
}

# Somebody else's web server on our port is the most common trouble of a used machine: say so before anything starts.
check_ports() {
  check_port_is_free http tcp
  check_port_is_free https tcp
  if wants_http3; then check_port_is_free https udp; fi
}

# check_port_is_free http|https tcp|udp
check_port_is_free() {
  local port users
  port=$(port_setting "$1")
  if [ -z "$port" ] || ! command -v ss >/dev/null; then return 0; fi
  users=$(ss -Hlnp "--$2" "sport = :$port" 2>/dev/null | sed -n 's/.*users:((\(.*\)))[[:space:]]*$/\1/p' |
    grep -v -e '"paas"' -e '"systemd"' | head -n 1) || true
  [ -z "$users" ] || die "Port $port is taken by $(cut -d'"' -f2 <<<"$users") ($(grep -o 'pid=[0-9]*' <<<"$users" | head -n 1)).
Stop that program, or give paas another port with --$1-port$([ ! -e "$config" ] || printf ' (now: in %s)' "$config"), and run install.sh again."
}

say_about_address() {
  local name
  name=$(setting '' domain)
  if [[ $name == *.sslip.io ]] && is_private_address "${name%.sslip.io}"; then
    warn "${name%.sslip.io} is a private address, so these names work in this server's own network only. For the internet:
point a domain and its wildcard (*.DOMAIN) at the public address and set it as domain in $config.
HTTPS is signed by this server's own authority here. To trust it on your machine, take the root that this prints: paas certs:ca"
  fi
}

say_about_firewall() {
  local status port
  command -v ufw >/dev/null || return 0
  status=$(ufw status 2>/dev/null) || return 0
  grep -q '^Status: active' <<<"$status" || return 0
  port=$(port_setting https)
  say_if_shut "$status" "$(port_setting http)/tcp"
  if [ -n "$port" ]; then say_if_shut "$status" "$port/tcp"; fi
  if [ -n "$port" ] && wants_http3; then say_if_shut "$status" "$port/udp"; fi
}

# say_if_shut STATUS PORT/PROTOCOL: a rule may name the port alone, for both protocols.
say_if_shut() {
  if ! grep -qE "^${2%/*}(/${2#*/})?[[:space:]]+ALLOW" <<<"$1"; then
    warn "The firewall is on and does not let port $2 in. To open it: ufw allow $2"
  fi
}
