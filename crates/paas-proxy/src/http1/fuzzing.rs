#![allow(clippy::missing_panics_doc)]

use bytes::BytesMut;
use http::{HeaderMap, header::CONTENT_LENGTH};

use super::{
    chunks::{Chunks, Piece},
    plain_head::PlainHead,
    response_head::take_head,
};
use crate::headers::strip_hop_by_hop;

/// The header of an answer is taken whole or not at all, however it comes. The first byte chooses the method, the second how much of
/// the rest has come at first.
pub fn response_head(data: &[u8]) {
    let [method, begin, text @ ..] = data else { return };
    let to_head = method % 2 == 1;
    same_as_plain(text, to_head);
    let mut buffer = BytesMut::from(text);
    let Ok(Some(head)) = take_head(&mut buffer, to_head) else { return };
    assert!(text.ends_with(&buffer), "what follows is left");
    let length = text.len() - buffer.len();
    let part = text.get(..usize::from(*begin) % length).unwrap_or_default();
    let mut some = BytesMut::from(part);
    assert!(matches!(take_head(&mut some, to_head), Ok(None)), "a part is none yet");
    assert_eq!(some, part, "and nothing is taken from it");
    some.extend_from_slice(text.get(part.len()..).unwrap_or_default());
    let Ok(Some(again)) = take_head(&mut some, to_head) else { panic!("the rest came and it is none") };
    assert_eq!(again.response.headers(), head.response.headers());
    assert_eq!(again.response.status(), head.response.status());
    assert_eq!(some, buffer);
}

/// An answer is to its client the same whether a map was made of its fields or not.
fn same_as_plain(text: &[u8], to_head: bool) {
    let (mut one, mut other) = (BytesMut::from(text), BytesMut::from(text));
    let full = take_head(&mut one, to_head);
    let plain = PlainHead::take(&mut other, to_head);
    let (Ok(Some(full)), Ok(Some((plain, shape)))) = (&full, &plain) else {
        assert_eq!(
            (full.is_err(), full.is_ok_and(|full| full.is_none())),
            (plain.is_err(), plain.is_ok_and(|plain| plain.is_none()))
        );
        return;
    };
    assert_eq!((one, full.response.status()), (other, plain.status));
    assert_eq!((&full.shape.framing, full.shape.keeps), (&shape.framing, shape.keeps));
    let mut fields = full.response.headers().clone();
    strip_hop_by_hop(&mut fields);
    fields.remove(CONTENT_LENGTH);
    let mut lines: Vec<Vec<u8>> = fields
        .iter()
        .map(|(name, value)| [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat())
        .collect();
    let is_framing =
        |line: &&[u8]| line.starts_with(b"content-length: ") || line.starts_with(b"transfer-encoding: ");
    let mut written: Vec<&[u8]> =
        plain.text.split_inclusive(|byte| *byte == b'\n').skip(1).filter(|line| !is_framing(line)).collect();
    lines.sort();
    written.sort_unstable();
    assert_eq!(lines, written);
}

/// Chunks are undone alike however they come. The first byte is how many come at a time.
pub fn chunks(data: &[u8]) {
    let [step, text @ ..] = data else { return };
    let whole = undone(text, text.len().max(1));
    let stepwise = undone(text, usize::from(*step).max(1));
    assert_eq!(whole, stepwise);
}

/// How far chunks came.
#[derive(Debug, Default, PartialEq, Eq)]
struct Undone {
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
    end: End,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum End {
    /// More would be needed.
    #[default]
    Missing,
    Malformed,
    /// With so many bytes behind it.
    Whole(usize),
}

fn undone(text: &[u8], step: usize) -> Undone {
    let (mut chunks, mut buffer, mut rest) = (Chunks::default(), BytesMut::new(), text);
    let mut undone = Undone::default();
    loop {
        match chunks.next(&mut buffer) {
            Err(_) => undone.end = End::Malformed,
            Ok(Piece::Data(data)) => {
                undone.data.extend_from_slice(&data);
                continue;
            }
            Ok(Piece::Trailers(trailers)) => {
                undone.trailers = Some(trailers);
                continue;
            }
            Ok(Piece::End) => undone.end = End::Whole(buffer.len() + rest.len()),
            Ok(Piece::Missing) if rest.is_empty() => {}
            Ok(Piece::Missing) => {
                let (next, later) = rest.split_at(step.min(rest.len()));
                buffer.extend_from_slice(next);
                rest = later;
                continue;
            }
        }
        return undone;
    }
}
