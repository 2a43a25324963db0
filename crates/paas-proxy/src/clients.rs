use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Clients are counted in so many places, so that two that come at one time seldom wait for each other.
const SHARDS: usize = 32;

/// How many connections each client has: nobody gets them all.
///
/// A client is an address, of IPv6 a /64: that is what one customer of a provider has (RFC 6177).
#[derive(Debug)]
pub(crate) struct Clients {
    limit: usize,
    /// The limit of a proxy that some app trusts: it brings the visitors of many.
    trusted_limit: usize,
    hasher: RandomState,
    shards: Vec<Mutex<HashMap<Client, usize>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    V4(u32),
    V6(u64),
}

impl Client {
    /// `None` for this machine itself, which is not limited.
    fn of(address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return None;
        }
        Some(match address {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => {
                let [network @ .., _, _, _, _, _, _, _, _] = address.octets();
                Self::V6(u64::from_be_bytes(network))
            }
        })
    }
}

/// One connection's place; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Option<(Arc<Clients>, Client)>);

impl Clients {
    /// `limit` is how many connections one client may have at one time.
    pub(crate) fn new(limit: usize, trusted_limit: usize) -> Arc<Self> {
        let shards = std::iter::repeat_with(Mutex::default).take(SHARDS).collect();
        Arc::new(Self { limit, trusted_limit, hasher: RandomState::new(), shards })
    }

    /// A place for one more connection; `None` when the client has as many as it may. Whether it is trusted is asked only of one that has many.
    pub(crate) fn admit(
        self: &Arc<Self>,
        address: IpAddr,
        is_trusted: impl FnOnce() -> bool,
    ) -> Option<Place> {
        let Some(client) = Client::of(address) else { return Some(Place(None)) };
        let admitted = self.with_shard(client, |counts| {
            let count = counts.entry(client).or_default();
            let free = *count < self.limit || (*count < self.trusted_limit && is_trusted());
            *count += usize::from(free);
            free
        });
        admitted.then(|| Place(Some((Arc::clone(self), client))))
    }

    fn leave(&self, client: Client) {
        self.with_shard(client, |counts| {
            let Some(count) = counts.get_mut(&client) else { return };
            *count -= 1;
            if *count == 0 {
                counts.remove(&client);
                // A flood from everywhere leaves no large table behind.
                if counts.capacity() > 64 && counts.len() < counts.capacity() / 8 {
                    counts.shrink_to_fit();
                }
            }
        });
    }

    fn with_shard<T: Default>(
        &self,
        client: Client,
        act: impl FnOnce(&mut HashMap<Client, usize>) -> T,
    ) -> T {
        let shard = self.hasher.hash_one(client) % SHARDS as u64;
        let shard = usize::try_from(shard).ok().and_then(|shard| self.shards.get(shard));
        shard.map_or_else(T::default, |shard| act(&mut shard.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((clients, client)) = self.0.take() {
            clients.leave(client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(clients: &Arc<Clients>, address: &str) -> Option<Place> {
        clients.admit(address.parse().unwrap(), || false)
    }

    #[test]
    fn one_client_gets_its_share_and_others_are_not_affected() {
        let clients = Clients::new(2, 2);
        let first = admit(&clients, "192.0.2.1").unwrap();
        let _second = admit(&clients, "::ffff:192.0.2.1").unwrap();
        assert!(admit(&clients, "192.0.2.1").is_none());
        assert!(admit(&clients, "192.0.2.2").is_some());
        drop(first);
        assert!(admit(&clients, "192.0.2.1").is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let clients = Clients::new(1, 1);
        let _place = admit(&clients, "2001:db8:0:1::1").unwrap();
        assert!(admit(&clients, "2001:db8:0:1:ffff::9").is_none());
        assert!(admit(&clients, "2001:db8:0:2::1").is_some());
    }

    #[test]
    fn this_machine_is_not_limited() {
        let clients = Clients::new(0, 0);
        assert!(
            ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]
                .iter()
                .all(|at| admit(&clients, at).is_some())
        );
        assert!(admit(&clients, "192.0.2.1").is_none());
    }

    #[test]
    fn who_is_trusted_gets_more_and_not_all() {
        let clients = Clients::new(1, 2);
        let address = "192.0.2.1".parse().unwrap();
        let trusted = || clients.admit(address, || true);
        let _places = (trusted().unwrap(), trusted().unwrap());
        assert!(trusted().is_none());
        assert!(clients.admit(address, || unreachable!("nobody is asked for nothing")).is_none());
    }

    #[test]
    fn who_has_gone_is_forgotten() {
        let clients = Clients::new(1, 1);
        let places: Vec<_> = (0..1000_u32)
            .filter_map(|n| clients.admit(IpAddr::V4((0xc000_0000 + n).into()), || false))
            .collect();
        assert_eq!(places.len(), 1000);
        drop(places);
        assert!(clients.shards.iter().all(|shard| shard.lock().unwrap().is_empty()));
    }
}
