//! The deploy: one file per step, and the reconciler.
