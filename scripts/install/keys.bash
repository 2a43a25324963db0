# shellcheck shell=bash
# The first admin keys. Later ones are added with `paas ssh-keys:add`.

no_keys() { ! grep -qs '^[^#]' "$data_dir/ssh/authorized_keys"; }

# Without --key only an installation without keys takes those of the person who installs: running again changes no access.
ensure_keys() {
  local file=$key_file name
  name=$(invoking_user)
  if [ -z "$file" ]; then
    no_keys || return 0
    file="$(home_of "$name")/.ssh/authorized_keys"
    [ -r "$file" ] || return 0
  fi
  add_keys "$file" "$name"
}

add_keys() {
  local line added=0 kept=0
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line#"${line%%[![:space:]]*}"}
    # A line that begins with options (command=, from=, …) gives less than a whole key; it is not widened here.
    [[ $line =~ ^(ssh-|ecdsa-|sk-)[a-z0-9@.-]+[[:space:]]+[A-Za-z0-9+/=]+ ]] || continue
    if is_known_key "$line"; then
      kept=$((kept + 1))
    else
      add_key "$2" "$line"
      added=$((added + 1))
    fi
  done <"$1"
  if [ -n "$key_file" ] && [ $((added + kept)) -eq 0 ]; then explain_no_key "$1"; fi
}

explain_no_key() {
  if grep -qs 'PRIVATE KEY' "$1"; then
    die "--key $1 is a private key, which belongs on your own machine only. Give the public one: $1.pub"
  fi
  die "--key $1 holds no public ssh key (a line like: ssh-ed25519 AAAA… you@laptop)."
}

is_known_key() {
  local blob
  blob=$(awk '{ print $2 }' <<<"$1")
  grep -qsF -- "$blob" "$data_dir/ssh/authorized_keys"
}

add_key() {
  local base=${1//[^A-Za-z0-9._@-]/-} name number=2
  base=${base:0:40}
  name=$base
  if ! ssh-keygen -l -f /dev/stdin <<<"$2" >/dev/null 2>&1; then
    warn "Left out a damaged key: ${2:0:40}…"
    return 0
  fi
  while key_name_is_taken "$name"; do
    name="$base-$number"
    number=$((number + 1))
  done
  "$bin" ssh-keys:add "$name" <<<"$2" >>"$log" 2>&1 || die "The key $name could not be added:
$(tail -n 5 "$log")
Add it yourself: paas ssh-keys:add NAME < key.pub"
  step "Added ssh key $name ($(ssh-keygen -l -f /dev/stdin <<<"$2" | awk '{ print $2 }'))"
}

key_name_is_taken() { grep -qF "\"name\":\"$1\"" <<<"$("$bin" ssh-keys:list --json 2>>"$log" | tr -d '[:space:]')"; }

say_how_to_add_key() {
  warn "No ssh key yet, so nobody can push. From your laptop:
    ssh $(invoking_user)@$(setting ssh host) sudo paas ssh-keys:add laptop < ~/.ssh/id_ed25519.pub
or on this server: paas ssh-keys:add NAME < key.pub"
}
