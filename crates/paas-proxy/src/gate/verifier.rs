use std::sync::Arc;

use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::api::Derived;

/// Who wait for their turn at one time; those beyond are told to come again.
const MAX_WAITING: usize = 256;

/// Checks passwords, which costs much, on threads that carry no request, and on no more than half of the processors: a flood of
/// guesses takes nothing from other visitors.
#[derive(Debug)]
pub(crate) struct Verifier {
    turns: Arc<Semaphore>,
    places: Semaphore,
}

/// Too many wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Busy;

impl Default for Verifier {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { turns: Arc::new(Semaphore::new((processors / 2).max(1))), places: Semaphore::new(MAX_WAITING) }
    }
}

impl Verifier {
    /// Whether the hash is this password's. `is_known` is asked when it is our turn: somebody before us may have found it out.
    pub(super) async fn verify(
        &self,
        hash: &Derived,
        password: Zeroizing<Vec<u8>>,
        is_known: impl Fn() -> bool,
    ) -> Result<bool, Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Busy)?;
        if is_known() {
            return Ok(true);
        }
        let hash = hash.clone();
        // The turn goes with the work, which goes on when the visitor leaves.
        let work = move || {
            let right = hash.is_of(&password);
            drop(turn);
            right
        };
        Ok(tokio::task::spawn_blocking(work).await.unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::sync::SemaphorePermit;

    use super::*;

    fn hash() -> Derived {
        Derived::of_nobody(std::iter::empty())
    }

    fn password() -> Zeroizing<Vec<u8>> {
        Zeroizing::new(b"guess".to_vec())
    }

    /// Nobody's turn may come before all of a flood have been polled: one that ended would give his place to another.
    async fn all_turns(verifier: &Verifier) -> SemaphorePermit<'_> {
        let all = u32::try_from(verifier.turns.available_permits()).expect("few");
        verifier.turns.acquire_many(all).await.expect("open")
    }

    #[tokio::test]
    async fn a_flood_of_guesses_is_bounded_and_passes() {
        let verifier = Verifier::default();
        let hash = hash();
        let turns = all_turns(&verifier).await;
        let mut flood = Box::pin(join_all((0..300).map(|_| verifier.verify(&hash, password(), || false))));
        assert!(futures_util::poll!(flood.as_mut()).is_pending());
        drop(turns);
        let flood = flood.await;
        assert_eq!(flood.iter().filter(|outcome| **outcome == Err(Busy)).count(), 300 - MAX_WAITING);
        assert_eq!(
            verifier.verify(&hash, password(), || false).await,
            Ok(false),
            "all places are free again"
        );
    }

    #[tokio::test]
    async fn what_was_found_out_meanwhile_is_not_worked_out_again() {
        assert_eq!(Verifier::default().verify(&hash(), password(), || true).await, Ok(true));
    }

    #[tokio::test]
    async fn a_visitor_who_leaves_gives_his_place_back() {
        let verifier = Verifier::default();
        let hash = hash();
        let turns = all_turns(&verifier).await;
        let waiting = join_all((0..MAX_WAITING).map(|_| verifier.verify(&hash, password(), || false)));
        let mut waiting = Box::pin(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        assert_eq!(verifier.verify(&hash, password(), || false).await, Err(Busy));
        drop(waiting);
        drop(turns);
        assert_eq!(verifier.verify(&hash, password(), || false).await, Ok(false));
    }
}
