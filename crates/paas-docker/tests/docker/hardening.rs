use std::{collections::BTreeMap, sync::Arc};

use bollard::{
    models::{ContainerInspectResponse, HostConfig},
    query_parameters::InspectContainerOptions,
};
use paas_docker::{Engine, RestartPolicy, VolumeSpec};

use crate::common::{App, World, app, docker};

pub async fn inspect(name: &str) -> ContainerInspectResponse {
    docker().inspect_container(name, None::<InspectContainerOptions>).await.unwrap()
}

pub async fn every_container_is_confined(world: Arc<World>) {
    world.network().await;
    let image = world.image("app", App::Runs).await;
    let volume = VolumeSpec { name: world.name("data"), labels: BTreeMap::new() };
    world.engine.ensure_volume(&volume).await.unwrap();
    let mut spec = world.spec("web", &image);
    spec.memory_bytes = Some(64 << 20);
    spec.restart = RestartPolicy::UnlessStopped;
    spec.address = Some(world.address(9));
    spec.aliases = vec!["web".to_owned()];
    spec.mounts = vec![(volume.name, "/data".to_owned())];
    spec.command = Some(vec!["sleep".to_owned(), "3600".to_owned()]);
    world.engine.create_container(&spec).await.unwrap();
    world.engine.start_container(&spec.name).await.unwrap();
    let container = inspect(&spec.name).await;
    let config = container.config.unwrap();
    assert_eq!(config.hostname.as_deref(), Some("web"));
    assert_eq!(config.stop_timeout, Some(30));
    assert_eq!(config.cmd.unwrap(), ["sleep", "3600"]);
    host_is_confined(&container.host_config.unwrap());
    let network = &container.network_settings.unwrap().networks.unwrap()[&spec.network];
    assert_eq!(network.ip_address.as_deref(), Some(world.address(9).to_string().as_str()));
    assert!(network.aliases.as_ref().unwrap().contains(&"web".to_owned()));
    kernel_agrees(&spec.name).await;
}

fn host_is_confined(host: &HostConfig) {
    assert_eq!(host.security_opt.as_deref(), Some(["no-new-privileges:true".to_owned()].as_slice()));
    assert_eq!(host.cap_drop.as_deref(), Some(["ALL".to_owned()].as_slice()));
    assert_eq!(host.cap_add.as_ref().map(Vec::len), Some(10));
    assert_eq!((host.privileged, host.publish_all_ports, host.init), (Some(false), Some(false), Some(true)));
    assert!(host.port_bindings.as_ref().is_none_or(std::collections::HashMap::is_empty));
    assert_eq!(
        (host.memory, host.memory_swap, host.pids_limit),
        (Some(64 << 20), Some(64 << 20), Some(1024))
    );
    assert_ne!(host.oom_kill_disable, Some(true));
    let log = host.log_config.as_ref().unwrap();
    let limits = log.config.as_ref().unwrap();
    assert_eq!(log.typ.as_deref(), Some("local"));
    assert_eq!((limits["max-size"].as_str(), limits["max-file"].as_str()), ("10m", "3"));
}

/// `CHOWN` 0, `DAC_OVERRIDE` 1, `FOWNER` 3, `FSETID` 4, `KILL` 5, `SETGID` 6, `SETUID` 7, `SETPCAP` 8, `NET_BIND_SERVICE` 10, `SYS_CHROOT` 18.
const CAPABILITY_BITS: u64 = 0x0004_05fb;

async fn kernel_agrees(name: &str) {
    let status =
        app::run_inside(name, "mount -t proc x /proc 2>/dev/null; cat /proc/self/status /proc/1/comm").await;
    let field = |key: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .unwrap_or_else(|| panic!("no {key} in {status}"))
            .trim()
    };
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(u64::from_str_radix(field("CapBnd:"), 16).unwrap(), CAPABILITY_BITS);
    assert!(status.contains("init"), "the first process reaps: {status}");
}

/// What the entrypoints of nginx, postgres and gosu do: own the data, become another user, and be told to end.
pub async fn an_entrypoint_may_change_its_user(world: Arc<World>) {
    world.network().await;
    let dockerfile = format!(
        "{}COPY passwd /etc/passwd\nCMD [\"sh\", \"-c\", \"mkdir -p /d && chown 1000:1000 /d && exec su app -c 'id -u; touch /d/x && echo wrote; chown 0 /d || echo denied'\"]\n",
        app::base()
    );
    let context = crate::common::context::busybox(
        &dockerfile,
        &[("passwd", "root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n")],
    );
    let tag = world.tag("app");
    crate::common::build(&*world.engine, crate::common::request(&tag), context).await.0.unwrap();
    let spec = world.spec("web", &tag);
    world.engine.create_container(&spec).await.unwrap();
    world.engine.start_container(&spec.name).await.unwrap();
    world.engine.wait_container(&spec.name).await.unwrap();
    let log = super::containers::stdout(&*world.engine as &dyn Engine, &spec.name).await;
    assert_eq!(log, ["1000", "wrote", "denied"]);
}
