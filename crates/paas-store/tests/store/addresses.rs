//! An address rests before it is used again: until then the whole range has gone round.

use std::collections::{BTreeMap, BTreeSet};

use paas_domain::ContainerId;
use paas_store::App;
use proptest::{prelude::*, sample::Index};

use crate::support::{Place, process_type};

const HOSTS: std::ops::RangeInclusive<u8> = 2..=254;

#[derive(Debug, Clone)]
enum Step {
    /// A deploy with that many containers.
    Plan(u16),
    /// A release command, of which nothing stays.
    Command,
    /// Some of the containers end.
    End(Vec<Index>),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u16..=100).prop_map(Step::Plan),
        2 => Just(Step::Command),
        4 => proptest::collection::vec(any::<Index>(), 1..60).prop_map(Step::End),
        1 => Just(Step::Reopen),
    ]
}

/// Which addresses are alive, when each was given last, and when it ended last; time is counted in changes.
#[derive(Default)]
struct Watch {
    time: u64,
    alive: BTreeMap<u8, ContainerId>,
    given: BTreeMap<u8, u64>,
    ended: BTreeMap<u8, u64>,
}

impl Watch {
    fn given(&mut self, host: u8, container: ContainerId) {
        self.time += 1;
        assert!(HOSTS.contains(&host), "{host}");
        assert!(self.alive.insert(host, container).is_none(), ".{host} is given twice");
        if let Some(before) = self.given.insert(host, self.time) {
            // Each other one was alive at some time since.
            let passed = |other: &u8| {
                self.alive.contains_key(other) || self.ended.get(other).is_some_and(|at| *at > before)
            };
            let skipped: Vec<u8> = HOSTS.filter(|other| !passed(other)).collect();
            assert!(
                skipped.is_empty(),
                ".{host} is given again before its turn, which was that of {skipped:?}"
            );
        }
    }

    fn ended(&mut self, host: u8) {
        self.time += 1;
        self.alive.remove(&host).unwrap();
        self.ended.insert(host, self.time);
    }
}

fn host(address: std::net::Ipv4Addr) -> u8 {
    address.octets()[3]
}

fn run(mut place: Place, app: &App, steps: Vec<Step>) -> Watch {
    let mut watch = Watch::default();
    for step in steps {
        match step {
            Step::Plan(count) => {
                let deploy = place.deploy(app);
                place.release(deploy, "sha256:a");
                let free = HOSTS.count() - watch.alive.len();
                match place.store.plan_containers(deploy, &[(process_type("web"), count)]) {
                    Ok(rows) => {
                        assert_eq!(rows.len(), usize::from(count));
                        for row in rows {
                            watch.given(host(row.address), row.id);
                        }
                    }
                    Err(error) => assert!(usize::from(count) > free, "{error} with {free} free"),
                }
            }
            Step::Command => {
                let deploy = place.deploy(app);
                place.release(deploy, "sha256:a");
                if watch.alive.len() < HOSTS.count() {
                    let row = place.store.plan_release_command(deploy).unwrap();
                    watch.given(host(row.address), row.id);
                    place.store.delete_container(row.id).unwrap();
                    watch.ended(host(row.address));
                }
            }
            Step::End(some) => {
                let alive: Vec<u8> = watch.alive.keys().copied().collect();
                let ending: BTreeSet<u8> =
                    some.iter().filter(|_| !alive.is_empty()).map(|index| *index.get(&alive)).collect();
                for host in ending {
                    place.store.delete_container(watch.alive[&host]).unwrap();
                    watch.ended(host);
                }
            }
            Step::Reopen => place = place.reopen(),
        }
        let rows = place.store.containers(app.id).unwrap();
        let stored: BTreeMap<u8, ContainerId> = rows.iter().map(|row| (host(row.address), row.id)).collect();
        assert_eq!(rows.len(), stored.len(), "no two containers have one address");
        assert_eq!(stored, watch.alive);
    }
    watch
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn an_address_rests_until_the_range_has_gone_round(steps in proptest::collection::vec(step(), 1..24)) {
        let place = Place::new();
        place.app("other");
        let app = place.app("blog");
        run(place, &app, steps);
    }
}

/// The plain case, and that the test above can see a round: one container after another takes every address once before the first again.
#[test]
fn one_after_another_takes_the_whole_range() {
    let place = Place::new();
    let app = place.app("blog");
    let watch = run(place, &app, vec![Step::Command; HOSTS.count() + 1]);
    let mut order: Vec<(u64, u8)> = watch.ended.iter().map(|(host, at)| (*at, *host)).collect();
    order.sort_unstable();
    assert_eq!(order.len(), HOSTS.count());
    assert_eq!(order.last().unwrap().1, 2, "the first one came again last");
    assert_eq!(order[0].1, 3);
}
