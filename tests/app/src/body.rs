//! The body of a request, by `Content-Length` or chunked.

use std::io::{BufRead, Read};

use crate::error::AppError;
use crate::request::{Request, read_line};

const BODY_LIMIT: u64 = 64 * 1024 * 1024;

/// Reads the body that the head announces.
pub(crate) fn read(request: &Request, reader: &mut impl BufRead) -> Result<Vec<u8>, AppError> {
    if request.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return read_chunks(reader);
    }
    let length = request.header("content-length").unwrap_or("0");
    let length = length.parse().map_err(|_| AppError::Malformed("content-length"))?;
    read_exactly(reader, length)
}

fn read_chunks(reader: &mut impl BufRead) -> Result<Vec<u8>, AppError> {
    let mut body = Vec::new();
    loop {
        let line = read_line(reader)?.ok_or(AppError::Malformed("chunk size"))?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| AppError::Malformed("chunk size"))?;
        if size == 0 {
            break;
        }
        body.extend(read_exactly(reader, size)?);
        read_line(reader)?;
    }
    while read_line(reader)?.is_some_and(|trailer| !trailer.is_empty()) {}
    Ok(body)
}

fn read_exactly(reader: &mut impl BufRead, length: u64) -> Result<Vec<u8>, AppError> {
    if length > BODY_LIMIT {
        return Err(AppError::Malformed("the body is larger than 64 MiB"));
    }
    let mut body = Vec::new();
    let read = reader.take(length).read_to_end(&mut body)?;
    if read as u64 == length { Ok(body) } else { Err(AppError::Malformed("the body ends too early")) }
}
