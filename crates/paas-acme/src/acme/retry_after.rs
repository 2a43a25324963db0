use std::time::Duration;

use http::{HeaderMap, header::RETRY_AFTER};
use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem, macros::format_description,
};

/// An `IMF-fixdate` (RFC 9110 §5.6.7).
const HTTP_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// What a limit's text says: `retry after 2026-08-05 12:00:00 UTC`.
const TEXT_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// Longer than any limit of any authority; what asks for more is a mistake, and must not become an overflow.
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// The `Retry-After` header (RFC 9110 §10.2.3): seconds, or a date.
pub(crate) fn of_headers(headers: &HeaderMap, now: OffsetDateTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds).min(LONGEST));
    }
    let date = PrimitiveDateTime::parse(value, HTTP_DATE).ok()?;
    Some(until(date, now))
}

/// The moment Let's Encrypt writes into the text of a limit.
pub(crate) fn of_text(detail: &str, now: OffsetDateTime) -> Option<Duration> {
    let (_, rest) = detail.split_once("retry after ")?;
    let date = PrimitiveDateTime::parse(rest.get(..19)?, TEXT_DATE).ok()?;
    Some(until(date, now))
}

fn until(date: PrimitiveDateTime, now: OffsetDateTime) -> Duration {
    Duration::try_from(date.assume_utc() - now).unwrap_or_default().min(LONGEST)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-08-05 11:00 UTC);

    fn header(value: &str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        of_headers(&headers, NOW)
    }

    #[test]
    fn seconds_and_dates_are_read() {
        assert_eq!(header("120"), Some(Duration::from_mins(2)));
        assert_eq!(header("Wed, 05 Aug 2026 12:00:00 GMT"), Some(Duration::from_hours(1)));
        assert_eq!(header("Wed, 05 Aug 2026 10:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(header("18446744073709551615"), Some(LONGEST));
        assert_eq!(header("Fri, 31 Dec 9999 23:59:59 GMT"), Some(LONGEST));
        assert_eq!(header("soon"), None);
        assert_eq!(header("-1"), None);
    }

    #[test]
    fn the_text_of_a_limit_is_read() {
        let text = "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, \
                    retry after 2026-08-05 12:30:00 UTC: see https://letsencrypt.org/docs/rate-limits/";
        assert_eq!(of_text(text, NOW), Some(Duration::from_mins(90)));
        assert_eq!(of_text("retry after a while", NOW), None);
    }
}
