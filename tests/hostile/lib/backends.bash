# shellcheck shell=bash
# The servers that requests are smuggled to: nginx, Node and gunicorn. Each tells what it has understood.

node=''

# start_node NAME: sets `node` to its address.
start_node() {
  node "$here/backend.js" >"$work/$1.out" 2>"$work/$1.log" </dev/null &
  pids+=($!)
  within 20 test -s "$work/$1.out"
  node=127.0.0.1:$(<"$work/$1.out")
}

start_gunicorn() {
  # Threads: the simplest worker keeps no connection, and what is kept is what is smuggled over.
  (cd "$here" && PYTHONDONTWRITEBYTECODE=1 exec gunicorn --bind 127.0.0.1:0 --worker-class gthread --workers 1 --threads 16 --keep-alive 30 backend:app) \
    >"$work/gunicorn.log" 2>&1 </dev/null &
  pids+=($!)
  within 20 grep -q 'Booting worker' "$work/gunicorn.log"
  gunicorn=$(sed -n 's|.*Listening at: http://\([0-9.:]*\).*|\1|p' "$work/gunicorn.log")
}

# start_nginx NAME DIRECTIVE...: one server with these directives, and with `listen_options` if there are any. Sets `nginx` to its address.
start_nginx() {
  local name=$1 port
  shift
  port=$(free_port)
  mkdir -p "$work/$name"
  {
    echo "daemon off; worker_processes 1; pid $work/$name/pid; error_log $work/$name/error.log;"
    [ "$(id -u)" != 0 ] || echo 'user root;'
    echo "events { worker_connections 20000; }"
    echo "http { access_log off; client_max_body_size 0; keepalive_requests 1000000;"
    for place in client_body proxy fastcgi uwsgi scgi; do echo "${place}_temp_path $work/$name/$place;"; done
    echo "server { listen 127.0.0.1:$port backlog=4096 ${listen_options:-};"
    printf '%s\n' "$@"
    echo '} }'
  } >"$work/$name/nginx.conf"
  PATH=$PATH:/usr/sbin nginx -p "$work/$name" -e "$work/$name/error.log" -c "$work/$name/nginx.conf" >"$work/$name/out" 2>&1 </dev/null &
  pids+=($!)
  nginx=127.0.0.1:$port
  within 20 curl -s -o "$work/$name/first" "http://$nginx/seen"
}

start_backends() {
  start_node node
  backends="node=$node,$node"
  # nginx tells by what it hands on.
  start_node behind-nginx
  start_nginx nginx "location / { proxy_pass http://$node; proxy_http_version 1.1; proxy_set_header Connection ''; }"
  start_gunicorn
  backends="$backends nginx=$nginx,$node gunicorn=$gunicorn,$gunicorn"
}

run_corpus() {
  (cd "$root" && RUST_BACKTRACE=0 PAAS_HOSTILE_BACKENDS=$backends cargo test --quiet -p paas-proxy --test proxy -- \
    --ignored --exact smuggling::nothing_is_smuggled_to_other_servers --nocapture)
}
