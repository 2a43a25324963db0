# shellcheck shell=bash
# A dockerd in a box, its socket in a folder of this machine.

engine_folder=$(mktemp -d)
readonly engine_folder
readonly engine_socket=$engine_folder/docker.sock

# What Engine 29 asks of its clients; engines from 25 on can be told to.
readonly min_api=1.44

engine_start() {
  make_tree "$suite"
  box_image=paas-engine:$suite-$$
  docker import "$cache/$suite.tar.gz" "$box_image" >/dev/null
  docker volume create "$box" >/dev/null
  box_options=(-v "$engine_folder:/run/engine")
  run_box plain >/dev/null
  configure | in_box sh -c 'mkdir -p /etc/docker && cat >/etc/docker/daemon.json'
  if [ -n "$dockerd" ]; then docker cp "$dockerd" "$box:/usr/sbin/dockerd" >/dev/null; fi
  docker exec -d -e "DOCKER_MIN_API_VERSION=$min_api" "$box" sh -c 'exec dockerd >/var/log/dockerd.log 2>&1'
  within 120 engine_docker version >/dev/null || {
    in_box tail -n 20 /var/log/dockerd.log
    return 1
  }
}

# Without an address of its own the bridge may take the range of the one the box is in.
configure() {
  local containerd=false
  [ "$store" = docker ] || containerd=true
  printf '{"hosts": ["unix:///run/engine/docker.sock"], "bip": "192.168.213.1/24", "features": {"containerd-snapshotter": %s}}\n' "$containerd"
}

engine_docker() { docker -H "unix://$engine_socket" "$@"; }

engine_describe() {
  engine_docker version --format 'Engine {{.Server.Version}}, API {{.Server.APIVersion}} (from {{.Server.MinAPIVersion}})'
  engine_docker info --format 'images in {{.Driver}} {{.DriverStatus}}, cgroup v{{.CgroupVersion}}'
}

# refuses_api VERSION: the engine does not speak it.
refuses_api() {
  local answer
  answer=$(DOCKER_API_VERSION=$1 engine_docker ps 2>&1) && return 1
  does_contain "$answer" "client version $1 is too old"
}

# The engine tells its newest events, so this is about the last tests.
engine_made_containers() {
  does_contain "$(engine_docker events --since 1h --until 0s --filter event=create --format '{{.Actor.Attributes.name}}')" '^paas-test-'
}
