# shellcheck shell=bash
# shellcheck disable=SC2016 # what is quoted runs in the box
# Piped from a URL: a loopback HTTP server in the box holds the release.

# Whatever a cut download runs, it is nothing: --help is asked for, and no byte of it may come.
cut_download() {
  local size at output
  section "a download that was cut short"
  size=$(stat -c %s "$root/install.sh")
  for ((at = 0; at < size - 1; at += at > size - 60 ? 1 : 397)); do
    output=$(head -c "$at" "$root/install.sh" | bash -s -- --help 2>/dev/null) || true
    if [ -n "$output" ]; then break; fi
  done
  equal "does nothing, cut anywhere" "" "$output"
  contains "and whole it does" "$(bash -s -- --help <"$root/install.sh")" '^usage:'
}

piped() { as_admin "curl -fsSL http://127.0.0.1:8123/install.sh | PAAS_RELEASE_URL=$1 bash -s -- --domain $domain $2"; }

serve_release() {
  "$root/scripts/release.sh" --binary "$binary" --out "$cache/release" >/dev/null
  tar -C "$cache/release" -c . | in_box_sh 'rm -rf /srv/release && mkdir /srv/release && tar -x -C /srv/release'
  in_box tee /srv/busybox </bin/busybox >/dev/null
  in_box_sh 'chmod 0755 /srv/busybox; setsid -f /srv/busybox httpd -f -p 127.0.0.1:8123 -h /srv/release >/dev/null 2>&1 </dev/null'
  within 10 in_box curl -fsS -o /dev/null http://127.0.0.1:8123/install.sh
}

piped_install() {
  local archive before
  section "piped from a URL"
  archive="paas-$(uname -m)-linux.tar.gz"
  serve_release
  before=$(sha256sum "$cache/release/$archive")
  "$root/scripts/release.sh" --binary "$binary" --out "$cache/release" >/dev/null
  equal "the tarball is the same, made twice" "$before" "$(sha256sum "$cache/release/$archive")"

  in_box_sh "printf x >>/srv/release/$archive"
  refuse "a wrong sha256 is refused" piped http://127.0.0.1:8123 ''
  contains "in words" "$said" 'sha256 of .* is not the one'
  refuse "nothing was installed" exists /usr/local/bin/paas
  in_box tee "/srv/release/$archive" <"$cache/release/$archive" >/dev/null

  contains "http from elsewhere is refused" "$(piped http://192.0.2.1 '' 2>&1 || true)" 'only https://'
  contains "a missing release is said" "$(piped http://127.0.0.1:8123/none '' 2>&1 || true)" 'Could not fetch'
  refuse "nothing was installed" exists /usr/local/bin/paas

  check "the right one is installed, as admin with sudo" piped http://127.0.0.1:8123/ --example
  equal "and the example answers" 200 "$(status_of hello)"
  check "paas status" in_box paas status
  equal "no scratch directory stays" "" "$(in_box find /tmp -maxdepth 1 -name 'tmp.*')"
  check "purge" in_box /usr/local/lib/paas/install.sh --purge --yes
}

# Whether the installer calls cargo rightly; that cargo builds rightly is not asked here.
built_from_clone() {
  section "built from the clone"
  in_box_sh 'ln -sf /bin/true /usr/local/bin/cc
    printf "rust-version = \"1.90\"\n" >/home/admin/paas/Cargo.toml
    mkdir -p /home/admin/.cargo/bin; cat >/home/admin/.cargo/bin/cargo <<\CARGO
#!/bin/sh
if [ "$1" = --version ]; then echo "cargo 1.100.0 (test)"; exit; fi
[ "$RUSTFLAGS" = "-C target-feature=+crt-static" ] && [ "$1" = build ] || exit 1
arch=$(uname -m)
mkdir -p "target/$arch-unknown-linux-gnu/release"
cp /home/admin/paas-binary "target/$arch-unknown-linux-gnu/release/paas"
CARGO
    chmod 0755 /home/admin/.cargo/bin/cargo; chown -R admin:admin /home/admin'
  check "install.sh builds and installs" as_admin "cd paas && ./install.sh --domain $domain"
  equal "as the person who called it" "admin:admin 755" "$(owner_and_mode "/home/admin/paas/target/$(uname -m)-unknown-linux-gnu/release")"
  in_box_sh 'sed -i "s/^cp .*/echo error: no >\&2; exit 101/" /home/admin/.cargo/bin/cargo'
  refuse "a failed build ends it" as_admin 'cd paas && ./install.sh'
  contains "in words" "$said" 'cargo could not build paas'
  check "what was installed still runs" in_box paas status
  check "purge" as_admin 'cd paas && ./install.sh --purge --yes'
}

other_port() {
  section "another port"
  refuse "a taken port ends it" installer --domain "$domain" --http-port 8123
  contains "naming who has it" "$said" 'Port 8123 is taken by busybox'
  in_box_sh 'pkill -x busybox'
  in_box rm -rf /etc/paas
  check "install.sh with other ports and a private authority" installer --domain "$domain" --http-port 8080 --https-port 8443 --example \
    --acme-directory https://ca.test/dir --acme-email ops@apps.test --acme-root "$root_file"
  refuse "whose terms are nobody's matter" grep -q "agreeing" <<<"$said"
  trust_root
  equal "the app answers there" 200 "$(status_of hello / 8080)"
  check "and over HTTPS" within 20 answers_tls hello / 8443
  refuse "and not on 80" in_box curl -s -o /dev/null --max-time 5 http://127.0.0.1/
  refuse "nor on 443" in_box curl -sk -o /dev/null --max-time 5 https://127.0.0.1/
  contains "the authority is in paas.toml" "$(in_box cat /etc/paas/paas.toml)" '^directory = "https://ca\.test/dir"$'
  contains "with the address" "$(in_box cat /etc/paas/paas.toml)" '^email = "ops@apps\.test"$'
  contains "and the root" "$(in_box cat /etc/paas/paas.toml)" '^root = "/etc/paas/acme-root\.pem"$'
  equal "which everybody may read" "root:root 644" "$(owner_and_mode /etc/paas/acme-root.pem)"
  check "changed in paas.toml, and run again" in_box_sh 'sed -i -e "s/:8080/:8081/" -e "s/:8443/:8444/" /etc/paas/paas.toml; cd /home/admin/paas; ./install.sh --binary ../paas-binary'
  check "the app answers on the new one" within 20 answers hello / 8081
  check "and over HTTPS" within 20 answers_tls hello / 8444
  refuse "the old ones are closed" in_box_sh 'ss -Hltn | grep -E ":(8080|8443) "'
  http3_follows_the_setting
  check "purge" installer --purge --yes
}
