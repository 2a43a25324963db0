use http::{
    HeaderValue, Method, Response,
    header::{CACHE_CONTROL, CONTENT_TYPE},
    request::Parts,
};

use super::Challenges;
use crate::{body::ResponseBody, host::Host};

/// Where an authority looks for a token (RFC 8555, 8.3).
const PREFIX: &str = "/.well-known/acme-challenge/";

/// Whether a path is for challenges, ours or the app's own. Authorities must find them over HTTP.
pub(crate) fn is_challenge(path: &str) -> bool {
    path.starts_with(PREFIX)
}

impl Challenges {
    /// The answer to a request that asks for a token of ours; all others are none of our business, an app may have its own.
    pub(crate) fn answer(&self, host: &Host<'_>, parts: &Parts) -> Option<Response<ResponseBody>> {
        let token = parts.uri.path().strip_prefix(PREFIX)?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return None;
        }
        let mut response = Response::new(ResponseBody::own(self.key_authorization(host, token)?));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(response)
    }
}
