use std::{
    cell::RefCell,
    time::{Duration, SystemTime},
};

use http::HeaderValue;

thread_local! {
    static NOW: RefCell<(u64, HeaderValue)> = const { RefCell::new((0, HeaderValue::from_static(""))) };
}

/// Now, as it stands in `Date` (RFC 9110, 6.6.1). Written once a second.
pub(crate) fn date() -> HeaderValue {
    let second = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
    NOW.with_borrow_mut(|(written, date)| {
        if *written != second {
            let text = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(second));
            // The text is ours.
            *date = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
            *written = second;
        }
        date.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_now() {
        let before = httpdate::fmt_http_date(SystemTime::now());
        let date = date();
        let after = httpdate::fmt_http_date(SystemTime::now());
        assert!(date == before.as_str() || date == after.as_str(), "{date:?}");
    }
}
