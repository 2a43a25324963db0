use crate::{Challenge, SolveError, Solver};

/// The challenges that are shown at the moment. None outlives this: they are removed by [`Presented::remove_all`], and abandoned when this is
/// dropped before.
pub(crate) struct Presented<'a> {
    solver: &'a dyn Solver,
    challenges: Vec<Challenge>,
}

impl<'a> Presented<'a> {
    pub(crate) fn new(solver: &'a dyn Solver) -> Self {
        Self { solver, challenges: Vec::new() }
    }

    /// Shows one. It is remembered first: what was shown in part is removed too.
    pub(crate) async fn show(&mut self, challenge: Challenge) -> Result<(), SolveError> {
        if !self.challenges.contains(&challenge) {
            self.challenges.push(challenge.clone());
        }
        self.solver.present(&challenge).await
    }

    /// Removes all.
    pub(crate) async fn remove_all(mut self) {
        while let Some(challenge) = self.challenges.last().cloned() {
            self.solver.remove(&challenge).await;
            self.challenges.pop();
        }
    }
}

impl Drop for Presented<'_> {
    fn drop(&mut self) {
        for challenge in self.challenges.drain(..) {
            self.solver.abandon(&challenge);
        }
    }
}
