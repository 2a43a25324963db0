//! Long grids are sampled; `tests/run --all` runs all of them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use rand::seq::IndexedRandom;
use rand::{SeedableRng, rngs::StdRng};

/// Whether the long grids run whole.
pub fn is_whole() -> bool {
    std::env::var("PAAS_TEST_ALL").is_ok_and(|value| value == "1")
}

/// `count` of the choices; all of them when `PAAS_TEST_ALL` is `1`. `PAAS_TEST_SEED` decides which, so that a failure can be repeated; without it
/// the process makes one up and prints it.
pub fn sample<T: Copy>(choices: &[T], count: usize) -> Vec<T> {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    if is_whole() {
        return choices.to_vec();
    }
    let seed = std::env::var("PAAS_TEST_SEED").unwrap_or_else(|_| {
        let seed = rand::random::<u32>().to_string();
        println!("PAAS_TEST_SEED={seed}");
        seed
    });
    // Each call of one test samples by itself; threads have the test's name.
    let mut hasher = DefaultHasher::new();
    (seed, std::thread::current().name(), CALLS.fetch_add(1, Ordering::Relaxed)).hash(&mut hasher);
    choices.sample(&mut StdRng::seed_from_u64(hasher.finish()), count).copied().collect()
}
