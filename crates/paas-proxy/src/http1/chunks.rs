use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::error::Http1Error;

/// The longest line before a chunk, extensions included.
const MAX_LINE: usize = 4 * 1024;
const MAX_TRAILERS: usize = 16 * 1024;
const MAX_TRAILER_FIELDS: usize = 64;

/// Undoes `chunked` (RFC 9112, 7.1). Lines end in CR LF and nothing else: what ends in LF alone is read in two ways.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunks(At);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    #[default]
    Size,
    Data(u64),
    DataEnd,
    Trailers,
    End,
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Data(Bytes),
    Trailers(HeaderMap),
    /// The body has ended.
    End,
    /// More bytes must be read first.
    Missing,
}

impl Chunks {
    pub(crate) fn has_ended(&self) -> bool {
        self.0 == At::End
    }

    pub(crate) fn next(&mut self, buffer: &mut BytesMut) -> Result<Piece, Http1Error> {
        loop {
            match self.0 {
                At::Size => {
                    let Some(line) = line(buffer)? else { return Ok(Piece::Missing) };
                    self.0 = match size(&line)? {
                        0 => At::Trailers,
                        size => At::Data(size),
                    };
                }
                At::Data(left) => {
                    if buffer.is_empty() {
                        return Ok(Piece::Missing);
                    }
                    let count = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                    let data = buffer.split_to(count).freeze();
                    self.0 = match left - count as u64 {
                        0 => At::DataEnd,
                        left => At::Data(left),
                    };
                    return Ok(Piece::Data(data));
                }
                At::DataEnd => {
                    if buffer.len() < 2 {
                        return Ok(Piece::Missing);
                    }
                    if !buffer.starts_with(b"\r\n") {
                        return Err(Http1Error::Malformed("a chunk that is longer than it says"));
                    }
                    buffer.advance(2);
                    self.0 = At::Size;
                }
                At::Trailers => return self.trailers(buffer),
                At::End => return Ok(Piece::End),
            }
        }
    }

    fn trailers(&mut self, buffer: &mut BytesMut) -> Result<Piece, Http1Error> {
        if buffer.starts_with(b"\r\n") {
            buffer.advance(2);
            self.0 = At::End;
            return Ok(Piece::End);
        }
        let mut fields = [httparse::EMPTY_HEADER; MAX_TRAILER_FIELDS];
        let parsed = httparse::parse_headers(buffer, &mut fields);
        let Ok(parsed) = parsed else { return Err(Http1Error::Malformed("bad trailers")) };
        match parsed {
            httparse::Status::Partial if buffer.len() < MAX_TRAILERS => Ok(Piece::Missing),
            httparse::Status::Partial => Err(Http1Error::Malformed("too many trailers")),
            httparse::Status::Complete((length, fields)) => {
                let mut lines =
                    buffer.get(..length).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
                if !lines.all(|line| line.ends_with(b"\r\n")) {
                    return Err(Http1Error::Malformed("a trailer's line without CR"));
                }
                let field = |field: &httparse::Header<'_>| {
                    let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
                    Some((name, HeaderValue::from_bytes(field.value).ok()?))
                };
                let trailers = fields.iter().filter_map(field).collect();
                buffer.advance(length);
                self.0 = At::End;
                Ok(Piece::Trailers(trailers))
            }
        }
    }
}

/// A line without its end, if it is there whole.
fn line(buffer: &mut BytesMut) -> Result<Option<BytesMut>, Http1Error> {
    match buffer.iter().take(MAX_LINE).position(|byte| *byte == b'\n') {
        Some(end) => {
            let mut line = buffer.split_to(end + 1);
            if !line.ends_with(b"\r\n") {
                return Err(Http1Error::Malformed("a chunk's line without CR"));
            }
            line.truncate(end - 1);
            Ok(Some(line))
        }
        None if buffer.len() >= MAX_LINE => Err(Http1Error::Malformed("a chunk's line too long")),
        None => Ok(None),
    }
}

/// `1a;extension`: hexadecimal digits, then nothing or extensions.
fn size(line: &[u8]) -> Result<u64, Http1Error> {
    let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (digits, rest) = line.split_at(digits);
    let extensions = rest.is_empty() || matches!(rest.trim_ascii_start().first(), Some(b';'));
    let plain = !rest.contains(&b'\r');
    let text = std::str::from_utf8(digits).ok().filter(|text| (1..=16).contains(&text.len()));
    text.filter(|_| extensions && plain)
        .and_then(|text| u64::from_str_radix(text, 16).ok())
        .ok_or(Http1Error::Malformed("no such chunk size"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads the text in pieces of that size.
    fn read(text: &[u8], step: usize) -> Result<(Vec<u8>, Option<HeaderMap>, usize), Http1Error> {
        let (mut chunks, mut buffer) = (Chunks::default(), BytesMut::new());
        let (mut data, mut trailers, mut rest) = (Vec::new(), None, text);
        loop {
            match chunks.next(&mut buffer)? {
                Piece::Data(bytes) => data.extend_from_slice(&bytes),
                Piece::Trailers(fields) => trailers = Some(fields),
                Piece::End => return Ok((data, trailers, buffer.len() + rest.len())),
                Piece::Missing if rest.is_empty() => return Err(Http1Error::Closed),
                Piece::Missing => {
                    let (next, later) = rest.split_at(step.min(rest.len()));
                    buffer.extend_from_slice(next);
                    rest = later;
                }
            }
        }
    }

    #[test]
    fn chunks_are_undone_however_they_arrive() {
        let text =
            b"4\r\nWiki\r\n6 ;a=\"b\"\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nX-Sum: 1\r\n\r\nHTTP";
        for step in 1..text.len() {
            let (data, trailers, left) = read(text, step).unwrap();
            assert_eq!(data, b"Wikipedia in \r\n\r\nchunks.");
            assert_eq!(trailers.unwrap()["x-sum"], "1");
            assert_eq!(left, 4);
        }
    }

    #[test]
    fn what_is_not_exactly_chunked_is_refused() {
        for text in [
            &b"4\nWiki\r\n0\r\n\r\n"[..],
            b"4\r\nWikipedia\r\n0\r\n\r\n",
            b"-1\r\n",
            b"0x4\r\nWiki\r\n",
            b" 4\r\nWiki\r\n",
            b"\r\n",
            b"11111111111111111\r\n",
            b"4 4\r\nWiki\r\n",
            b"4;a\rb\r\nWiki\r\n",
            b"0\r\nbad trailer\r\n\r\n",
        ] {
            assert!(
                matches!(read(text, 3), Err(Http1Error::Malformed(_))),
                "{:?}",
                String::from_utf8_lossy(text)
            );
        }
        assert!(matches!(read(b"4\r\nWi", 9), Err(Http1Error::Closed)));
        assert!(matches!(read(&[b'1'; 2 * MAX_LINE], 999), Err(Http1Error::Malformed(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..80), step in 1usize..9) {
            let _ = read(&text, step);
        }

        #[test]
        fn any_body_comes_back(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6), step in 1usize..50) {
            let mut text = Vec::new();
            for piece in &pieces {
                text.extend_from_slice(format!("{:X}\r\n", piece.len()).as_bytes());
                text.extend_from_slice(piece);
                text.extend_from_slice(b"\r\n");
            }
            text.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(read(&text, step).unwrap().0, pieces.concat());
        }
    }
}
