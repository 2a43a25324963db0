use std::{borrow::Cow, fmt::Write};

use http::HeaderValue;
use time::{format_description::StaticFormatDescription, macros::format_description};

use super::{
    entry::{Entry, Outcome},
    mask::masked,
};

/// Apache's `%t`, in UTC.
const TIME: StaticFormatDescription =
    format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");

/// `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"` of Apache's `mod_log_config`, without the newline. Who logged in is not
/// told.
pub(super) fn line(entry: &Entry, outcome: &Outcome<'_>) -> String {
    let mut line = String::with_capacity(256);
    line.push_str(&entry.client.to_string());
    line.push_str(" - - [");
    line.push_str(&entry.at.format(&TIME).unwrap_or_default());
    line.push_str("] \"");
    escape(&mut line, entry.method.as_str().as_bytes());
    line.push(' ');
    escape(&mut line, masked(entry.path()).as_bytes());
    line.push(' ');
    line.push_str(entry.protocol());
    // Writing to a `String` cannot fail.
    let _ = match outcome.bytes_out {
        0 => write!(line, "\" {} - ", outcome.status.as_u16()),
        bytes => write!(line, "\" {} {bytes} ", outcome.status.as_u16()),
    };
    quoted(&mut line, entry.referer.as_ref().map(referer));
    line.push(' ');
    quoted(&mut line, entry.user_agent.as_ref().map(|agent| Cow::Borrowed(agent.as_bytes())));
    line
}

fn referer(value: &HeaderValue) -> Cow<'_, [u8]> {
    match str::from_utf8(value.as_bytes()).map(masked) {
        Ok(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
        Ok(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
        Err(_) => Cow::Owned(masked(&String::from_utf8_lossy(value.as_bytes())).into_owned().into_bytes()),
    }
}

fn quoted(line: &mut String, value: Option<Cow<'_, [u8]>>) {
    line.push('"');
    match value {
        Some(value) => escape(line, &value),
        None => line.push('-'),
    }
    line.push('"');
}

/// As Apache escapes: C's names for the control characters that have one, hexadecimal for the rest and for what is not ASCII.
fn escape(line: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' => line.push_str("\\\""),
            b'\\' => line.push_str("\\\\"),
            b'\n' => line.push_str("\\n"),
            b'\r' => line.push_str("\\r"),
            b'\t' => line.push_str("\\t"),
            0x08 => line.push_str("\\b"),
            0x0b => line.push_str("\\v"),
            b' '..=b'~' => line.push(char::from(byte)),
            _ => {
                let _ = write!(line, "\\x{byte:02x}");
            }
        }
    }
}
