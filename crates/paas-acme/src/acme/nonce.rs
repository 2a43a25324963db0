use instant_acme::Error;

/// How often one operation is begun anew because its nonce was refused. The client library asks three times in each.
pub(crate) const ATTEMPTS: u32 = 20;

/// Whether the authority refused the nonce: it did nothing, and gave a fresh one (RFC 8555 §6.5).
pub(crate) fn is_refused(error: &Error) -> bool {
    matches!(error, Error::Api(problem) if problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:badNonce"))
}

/// Runs an operation again as long as the authority refuses its nonce. A macro, because a closure cannot lend out what the operation borrows
/// over an `await`.
macro_rules! with_fresh_nonce {
    ($operation:expr) => {{
        let mut attempt = 1;
        loop {
            match $operation {
                Err(error)
                    if attempt < $crate::acme::nonce::ATTEMPTS && $crate::acme::nonce::is_refused(&error) =>
                {
                    attempt += 1;
                }
                result => break result,
            }
        }
    }};
}

pub(crate) use with_fresh_nonce;
