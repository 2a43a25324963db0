//! HTTP/1.1 towards targets (RFC 9112): one request at a time on a connection, written and read by the task that wants the answer. What both sides
//! of the proxy need of it (chunks, framing, the writing of pieces) is here, too.
//!
//! hyper's client hands request, answer and body from task to task; for small answers that was a third of what a request cost
//! (docs/decisions/0006-front-door-speed.md).

mod answer_body;
mod chunks;
mod connection;
mod error;
mod exchange;
mod framing;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod pieces;
mod plain_head;
mod request_head;
mod response_head;
mod sending;
mod trailers;

pub(crate) use answer_body::{AnswerBody, alone};
pub(crate) use chunks::{Chunks, Piece};
pub(crate) use connection::{Certainty, Connection};
pub(crate) use error::Http1Error;
pub(crate) use exchange::{Answered, Lost, exchange, exchange_plain};
pub(crate) use framing::{ConnectionOptions, Framing, length};
pub(crate) use pieces::Pieces;
pub(crate) use plain_head::PlainHead;
pub(crate) use request_head::expects_body;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use request_head::head as request_head;
pub(crate) use trailers::{announced, end as end_of_chunks};
