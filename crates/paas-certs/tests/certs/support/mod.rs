mod authority;
mod clock;
mod world;

pub use authority::{Call, FakeAuthority};
pub use clock::FakeClock;
pub use world::{Life, World, days, hours, minutes};
