use std::net::IpAddr;
use std::{borrow::Cow, time::Duration};

use http::HeaderValue;
use serde::Serialize;
use time::{format_description::StaticFormatDescription, macros::format_description};

use super::{
    entry::{Entry, Outcome},
    mask::masked,
};

/// RFC 3339 in UTC, to the microsecond: all times are of one length and sort as text.
const TIME: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    request_id: &'a str,
    client: IpAddr,
    method: &'a str,
    scheme: &'a str,
    host: &'a str,
    path: Cow<'a, str>,
    protocol: &'a str,
    status: u16,
    bytes_in: u64,
    bytes_out: u64,
    duration_ms: f64,
    app_ms: Option<f64>,
    target: Option<&'a str>,
    referer: Option<Cow<'a, str>>,
    user_agent: Option<Cow<'a, str>>,
    complete: bool,
}

/// One JSON object without the newline.
pub(super) fn line(entry: &Entry, outcome: &Outcome<'_>) -> Vec<u8> {
    let line = Line {
        time: entry.at.format(&TIME).unwrap_or_default(),
        request_id: outcome.id,
        client: entry.client,
        method: entry.method.as_str(),
        scheme: entry.scheme,
        host: &entry.host,
        path: printable(masked(entry.path())),
        protocol: entry.protocol(),
        status: outcome.status.as_u16(),
        bytes_in: outcome.bytes_in,
        bytes_out: outcome.bytes_out,
        duration_ms: ms(outcome.duration),
        app_ms: entry.app().map(ms),
        target: entry.target(),
        referer: entry.referer.as_ref().map(|referer| match text(referer) {
            Cow::Borrowed(text) => masked(text),
            Cow::Owned(text) => Cow::Owned(masked(&text).into_owned()),
        }),
        user_agent: entry.user_agent.as_ref().map(text),
        complete: outcome.complete,
    };
    // Text and numbers always encode.
    serde_json::to_vec(&line).unwrap_or_default()
}

/// Milliseconds to the microsecond.
fn ms(duration: Duration) -> f64 {
    let us = u32::try_from(duration.as_micros()).map_or_else(|_| duration.as_secs_f64() * 1e6, f64::from);
    us.round() / 1e3
}

fn text(value: &HeaderValue) -> Cow<'_, str> {
    printable(String::from_utf8_lossy(value.as_bytes()))
}

/// JSON leaves the second block of control characters as they are, and terminals obey them.
fn printable(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
    } else {
        text
    }
}
