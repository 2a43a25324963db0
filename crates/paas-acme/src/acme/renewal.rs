//! Renewal information (RFC 9773).

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use instant_acme::{BodyWrapper, CertificateIdentifier, RenewalInfo};
use serde::Deserialize;
use time::OffsetDateTime;

use super::{AcmeError, http_failure::HttpFailure, https::Https, retry_after, voice::Voice};
use crate::{RenewalWindow, pem, text::plain};

/// §4.3.2: without a `Retry-After`, and never outside of a sensible range.
const CHECK_AGAIN: Duration = Duration::from_hours(6);
const SOONEST: Duration = Duration::from_mins(1);
const LATEST: Duration = Duration::from_hours(24);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Directory {
    renewal_info: Option<String>,
}

/// The certificate's identifier in requests (§4.1); none for one without an authority key identifier.
pub(crate) fn identifier_of(chain_pem: &str) -> Option<CertificateIdentifier<'static>> {
    let chain = pem::certificates(chain_pem).ok()?;
    let identifier = CertificateIdentifier::try_from(chain.first()?).ok()?;
    Some(identifier.into_owned())
}

/// Asks for the window of a certificate. These requests are plain: no account, no nonce.
pub(crate) async fn window(
    https: &Https,
    voice: &Voice,
    directory: &str,
    chain_pem: &str,
) -> Result<Option<RenewalWindow>, AcmeError> {
    let Some(identifier) = identifier_of(chain_pem) else { return Ok(None) };
    let subject = "renewal information";
    let answer = get(https, directory).await.map_err(|failure| voice.failure(failure, subject))?;
    let links: Directory = serde_json::from_slice(answer.body()).map_err(|error| voice.protocol(error))?;
    let Some(base) = links.renewal_info else { return Ok(None) };
    match get(https, &format!("{}/{identifier}", base.trim_end_matches('/'))).await {
        Ok(answer) => read(voice, &answer).map(Some),
        // It knows nothing of this certificate; somebody else signed it.
        Err(HttpFailure::Answer(answer)) if answer.status.as_u16() == 404 => Ok(None),
        Err(failure) => Err(voice.failure(failure, subject)),
    }
}

async fn get(https: &Https, url: &str) -> Result<Response<Bytes>, HttpFailure> {
    let request = Request::get(url).body(BodyWrapper::default());
    https.send(request.map_err(|error| HttpFailure::Cut(Box::new(error)))?).await
}

fn read(voice: &Voice, answer: &Response<Bytes>) -> Result<RenewalWindow, AcmeError> {
    let info: RenewalInfo = serde_json::from_slice(answer.body()).map_err(|error| voice.protocol(error))?;
    let (start, end) = (info.suggested_window.start, info.suggested_window.end);
    if end <= start {
        return Err(voice.protocol("the renewal window ends before it starts"));
    }
    let asked = retry_after::of_headers(answer.headers(), OffsetDateTime::now_utc());
    Ok(RenewalWindow {
        start,
        end,
        check_again_after: asked.unwrap_or(CHECK_AGAIN).clamp(SOONEST, LATEST),
        explanation: info.explanation_url.as_deref().map(plain),
    })
}
