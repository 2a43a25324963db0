//! The hand-over: a running proxy starts its successor, gives it the listening sockets, and drains.
//!
//! Over a socket pair, whose one end is the successor's standard input: a byte with the sockets ([`sockets`]), then messages
//! ([`message`]), each a line of JSON.
//!
//! | from | message | meaning |
//! |---|---|---|
//! | predecessor | [`Given`] | which socket is what, and what is in memory alone; no command changes anything from here on |
//! | successor | [`Prepared`] | everything that can fail has been done |
//! | predecessor | [`Go`] | it will not change its mind any more |
//! | successor | [`Started`] | requests and commands are accepted |
//! | predecessor | the end of the stream | it reads the UDP sockets no more |
//!
//! Either side may die at any point: before [`Go`] the successor ends and the predecessor goes on; before [`Started`] the
//! predecessor goes on. A successor that hangs is as good as dead: after [`Go`] it is ended, for it has the sockets.

mod channel;
mod error;
mod giver;
mod message;
mod predecessor;
mod sockets;

pub use error::HandOverError;
pub(crate) use giver::Giver;
pub use giver::Successor;
pub(crate) use predecessor::Predecessor;
pub(crate) use sockets::Socket;
