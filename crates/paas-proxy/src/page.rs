//! The pages of the proxy itself.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};

use crate::{body::ResponseBody, failure::Failure, headers::tokens};

/// Seconds after which a visitor of a 503 may come again.
const COME_AGAIN: HeaderValue = HeaderValue::from_static("10");

/// HTML for those who ask for it, else one line of text.
pub(crate) fn page(failure: Failure, html: bool) -> Response<ResponseBody> {
    let status = failure.status();
    let (kind, text) = if html {
        (HeaderValue::from_static("text/html; charset=utf-8"), self::html(status, failure.sentence()))
    } else {
        (HeaderValue::from_static("text/plain; charset=utf-8"), format!("{status}\n{}\n", failure.sentence()))
    };
    let mut response = Response::new(ResponseBody::own(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, COME_AGAIN);
    }
    response
}

/// Whether a page may be HTML.
pub(crate) fn accepts_html(headers: &HeaderMap) -> bool {
    tokens(headers, &ACCEPT)
        .any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html")))
}

fn html(status: StatusCode, sentence: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{status}</title>\n\
         <style>body{{font:1.1em/1.5 system-ui,sans-serif;max-width:32em;margin:20vh auto;padding:0 1em;color:#333}}\
         @media(prefers-color-scheme:dark){{body{{background:#181818;color:#ccc}}}}</style>\n\
         <h1>{status}</h1>\n<p>{sentence}</p>\n</html>\n"
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
    fn a_page_is_never_stored() {
        for failure in [Failure::Stopped, Failure::UnknownHost] {
            let page = page(failure, false);
            assert_eq!(page.headers()[CACHE_CONTROL], "no-store");
            assert_eq!(page.headers().contains_key(RETRY_AFTER), failure == Failure::Stopped);
        }
    }
}
