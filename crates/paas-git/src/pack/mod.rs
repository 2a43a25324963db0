//! The two commands of git's server side, as values.

mod environment;
mod protocol;
mod push;
mod receive;
mod upload;

pub use protocol::Protocol;
pub use push::Push;
pub use receive::ReceivePack;
pub use upload::UploadPack;
