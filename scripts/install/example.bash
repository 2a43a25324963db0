# shellcheck shell=bash
# --example: the bundled app, pushed as a person would push it: git over ssh, with a key made for this and removed afterwards.

readonly example_app=hello
readonly example_author=example@paas.invalid

run_example() {
  step "Pushing the example app"
  example_dir=$(mktemp -d)
  example_key="install-example-$$"
  prepare_example_tree "$example_dir/$example_app"
  prepare_example_key
  "$bin" apps:create "$example_app" >>"$log" 2>&1 || app_exists ||
    die "The app $example_app could not be created:
$(tail -n 5 "$log")"
  commit_example
  example_git push -q "$example_remote" HEAD:refs/heads/main ||
    die "git push of the example app failed; what it said is above.
Repair that and run again: $lib_dir/install.sh --example"
  check_example
  cleanup_example
}

app_exists() { grep -qw -- "$example_app" <<<"$("$bin" apps:list 2>>"$log")"; }

prepare_example_tree() {
  cp -r -- "$here/examples/$example_app" "$1"
  static_busybox "$1/busybox"
  example_git init -q
  example_git symbolic-ref HEAD refs/heads/main
}

# Without root's own git settings: the push shall be the same on every server.
example_git() {
  env GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_SSH_COMMAND="${example_ssh:-}" \
    git -C "$example_dir/$example_app" -c user.name="paas example" -c user.email="$example_author" "$@" </dev/null 9>&-
}

# busybox as one static file: the server's own, or out of the distribution's package, without installing that.
static_busybox() {
  local own
  own=$(command -v busybox) || own=''
  if [ -z "$own" ] || ! is_static "$own"; then
    apt_update
    chmod 0755 "$example_dir"
    install -d -m 0777 "$example_dir/deb"
    # shellcheck disable=SC2016 # the inner shell expands it
    run_logged "fetching busybox-static" sh -c 'cd -- "$0" && exec apt-get download -q busybox-static' "$example_dir/deb"
    run_logged "unpacking busybox-static" dpkg-deb -x "$example_dir"/deb/*.deb "$example_dir/deb/root"
    own=$(find "$example_dir/deb/root" -type f -path '*/bin/busybox' | head -n 1)
    if [ -z "$own" ] || ! is_static "$own"; then
      die "The package busybox-static holds no static busybox, which the example app needs."
    fi
  fi
  install -m 0755 -- "$own" "$1"
}

# ldd says so for both kinds: "not a dynamic executable" and "statically linked".
is_static() {
  [ "$(head -c 4 -- "$1" | tail -c 3)" = ELF ] && grep -qE 'not a dynamic executable|statically linked' <<<"$(ldd "$1" 2>&1)"
}

prepare_example_key() {
  local port host_key known=$example_dir/known_hosts
  port=$(setting ssh port)
  ssh-keygen -q -t ed25519 -N '' -C "$example_key" -f "$example_dir/key"
  # The server's host keys lie here: nothing is trusted on first use.
  for host_key in /etc/ssh/ssh_host_*_key.pub; do
    awk -v port="$port" '{ print "[127.0.0.1]:" port, $1, $2; print "127.0.0.1", $1, $2 }' "$host_key"
  done >"$known"
  "$bin" ssh-keys:add "$example_key" <"$example_dir/key.pub" >>"$log" 2>&1 || die "The example's temporary ssh key could not be added:
$(tail -n 5 "$log")"
  example_key_added=1
  example_remote="ssh://paas@127.0.0.1:$port/$example_app"
  example_ssh="ssh -F /dev/null -i $example_dir/key -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes \
-o StrictHostKeyChecking=yes -o UserKnownHostsFile=$known -o ConnectTimeout=20"
}

# On top of what is there, so that nothing is forced; and somebody's own app of that name is left alone.
commit_example() {
  if example_git fetch -q "$example_remote" refs/heads/main 2>>"$log"; then
    [ "$(example_git log -1 --format=%ae FETCH_HEAD)" = "$example_author" ] ||
      die "There is an app $example_app that install.sh did not make, so the example was not pushed to it."
    example_git reset -q --soft FETCH_HEAD
  fi
  example_git add -A
  if ! example_git rev-parse -q --verify HEAD >>"$log" || ! example_git diff --cached --quiet; then
    example_git commit -q -m "The example app of paas"
  fi
}

# 308 leads to HTTPS: the route is there, and so is a certificate that browsers trust.
check_example() {
  local name status
  name="$example_app.$(setting '' domain)"
  example_url=$(web_address http "$name")
  status=$(http_status "$(port_setting http)" "$name") || status=none
  if [ "$status" = 308 ]; then
    example_url=$(web_address https "$name")
    status=$(https_status "$(port_setting https)" "$name")
  fi
  [ "$status" = 200 ] || die "$example_url was pushed but answers ${status/none/nothing} instead of 200.
Look at it with: paas logs $example_app"
  step "The example app answers: $example_url"
}

# The same over HTTPS. The certificate has been judged already, and not every authority's root is this server's. Without curl
# nothing here speaks TLS; the push itself has asked the app.
https_status() {
  if ! command -v curl >/dev/null; then
    printf 200
    return
  fi
  curl -sk -o /dev/null -w '%{http_code}' --max-time 20 --noproxy '*' --resolve "$2:$1:127.0.0.1" -- "https://$2:$1/" 2>>"$log" || printf none
}

# The status code of GET / from our own proxy, for a host name that need not resolve here.
http_status() {
  local protocol='' code=''
  { exec 8<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
  printf 'GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$2" >&8
  IFS=' ' read -r -t 20 protocol code _ <&8 || true
  exec 8>&-
  [[ $protocol == HTTP/* ]] && printf '%s' "${code%$'\r'}"
}

# Also from the exit trap: the temporary key never stays, whatever happened.
cleanup_example() {
  if [ -n "${example_key_added:-}" ]; then
    example_key_added=''
    "$bin" ssh-keys:remove "$example_key" --force >>"$log" 2>&1 </dev/null ||
      warn "The example's temporary key could not be removed. Do it yourself: paas ssh-keys:remove $example_key"
  fi
  if [ -n "${example_dir:-}" ]; then rm -rf -- "$example_dir"; fi
  example_dir=''
}
