//! The container engine: a trait, the real one, and a stateful fake.
