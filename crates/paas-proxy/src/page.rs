//! The pages of the proxy itself.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};

use crate::{body::ResponseBody, failure::Failure, forwarded::REQUEST_ID, gate::OwnPages};

/// Seconds after which a visitor of a 503 may come again.
const COME_AGAIN: HeaderValue = HeaderValue::from_static("10");

/// HTML for those who ask for it, the service's own if it has one; else lines of text. The id leads the app's people to the line in
/// the access log.
pub(crate) fn page(
    failure: Failure,
    html: bool,
    own: Option<&OwnPages>,
    id: &HeaderValue,
) -> Response<ResponseBody> {
    let status = failure.status();
    let (kind, text) = if html {
        let own = own.and_then(|own| own.find(failure));
        let text = own.unwrap_or_else(|| Bytes::from(self::html(status, failure.sentence(), shown(id))));
        (HeaderValue::from_static("text/html; charset=utf-8"), text)
    } else {
        let text = format!("{status}\n{}\nRequest {}\n", failure.sentence(), shown(id));
        (HeaderValue::from_static("text/plain; charset=utf-8"), Bytes::from(text))
    };
    let mut response = Response::new(ResponseBody::own(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(REQUEST_ID, id.clone());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, COME_AGAIN);
    }
    response
}

/// Whether a page may be HTML.
pub(crate) fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|accept| says_html(accept.as_bytes()))
}

/// Whether an `Accept` names HTML.
pub(crate) fn says_html(accept: &[u8]) -> bool {
    accept.split(|byte| *byte == b',').any(|part| {
        let kind = part.split(|byte| *byte == b';').next().unwrap_or_default();
        kind.trim_ascii().eq_ignore_ascii_case(b"text/html")
    })
}

/// An id that a proxy before us gave may be anything.
fn shown(id: &HeaderValue) -> &str {
    let plain = |text: &&str| {
        text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    id.to_str().ok().filter(plain).unwrap_or("unknown")
}

fn html(status: StatusCode, sentence: &str, id: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{status}</title>\n\
         <style>body{{font:1.1em/1.5 system-ui,sans-serif;max-width:32em;margin:20vh auto;padding:0 1em;color:#333}}\
         @media(prefers-color-scheme:dark){{body{{background:#181818;color:#ccc}}}}</style>\n\
         <h1>{status}</h1>\n<p>{sentence}</p>\n<p><small>Request <code>{id}</code></small></p>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(accept: &'static str) -> bool {
        accepts_html(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]))
    }

    #[test]
    fn html_only_for_those_who_ask() {
        assert!(accepts("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"));
        assert!(accepts("application/json, Text/HTML;q=0.1"));
        assert!(!accepts("*/*"));
        assert!(!accepts_html(&HeaderMap::new()));
    }

    #[test]
    fn an_id_that_is_no_plain_word_is_not_shown() {
        assert_eq!(shown(&HeaderValue::from_static("Aa0-_.")), "Aa0-_.");
        assert_eq!(shown(&HeaderValue::from_static("<script>")), "unknown");
        assert_eq!(shown(&HeaderValue::from_str(&"a".repeat(129)).unwrap()), "unknown");
    }

    #[test]
    fn a_page_is_never_stored() {
        for failure in [Failure::Stopped, Failure::UnknownHost] {
            let page = page(failure, false, None, &HeaderValue::from_static("3f2a"));
            assert_eq!(page.headers()["x-request-id"], "3f2a");
            assert_eq!(page.headers()[CACHE_CONTROL], "no-store");
            assert_eq!(page.headers().contains_key(RETRY_AFTER), failure == Failure::Stopped);
        }
    }
}
