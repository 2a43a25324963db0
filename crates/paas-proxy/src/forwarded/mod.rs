//! What a target is told about where a request comes from, and whose word about it is believed.

mod claims;
mod element;
mod origin;
mod request_id;
mod scheme;
mod told;

pub(crate) use self::{
    claims::{REQUEST_ID, is_claim},
    origin::{Origin, Source},
    request_id::{new as request_id, text as request_id_text},
    scheme::Scheme,
};
