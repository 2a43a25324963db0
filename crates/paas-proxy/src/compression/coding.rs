use std::{
    fmt,
    io::{self, Write},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use tokio::sync::{Semaphore, SemaphorePermit};

/// KiB that all encoders may use together; answers beyond that go as they are. Each keeps its memory until the visitor has taken
/// the answer's last byte, and visitors may be slow.
const MEMORY: usize = 256 * 1024;
static FREE: Semaphore = Semaphore::const_new(MEMORY);

/// The levels are those that keep up with a fast app on one processor: higher ones cost several times as much for a few percent.
const GZIP_LEVEL: u32 = 4;
const ZSTD_LEVEL: i32 = 3;
const BROTLI_QUALITY: u32 = 4;
/// 2 to this is how far back repetitions are found. More memory for larger ones; pages and scripts gain nothing from it.
const WINDOW_LOG: u32 = 18;
const BROTLI_BUFFER: usize = 4 * 1024;

/// A content coding (RFC 9110, 8.4.1; RFC 7932; RFC 8878). The earlier one is preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Zstd,
    Brotli,
    Gzip,
}

impl Coding {
    pub(super) const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// KiB that an encoder was seen to use at our level and window.
    fn memory(self) -> u32 {
        match self {
            Self::Zstd => 1_280,
            Self::Brotli => 2_304,
            Self::Gzip => 384,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// Compresses one answer.
pub(crate) struct Encoder {
    stream: Stream,
    _memory: SemaphorePermit<'static>,
}

enum Stream {
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Encoder {
    /// `None` when too many answers are being compressed.
    pub(crate) fn new(coding: Coding) -> Option<Self> {
        let memory = FREE.try_acquire_many(coding.memory()).ok()?;
        let stream = match coding {
            Coding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL).ok()?;
                encoder.window_log(WINDOW_LOG).ok()?;
                Stream::Zstd(encoder)
            }
            Coding::Brotli => Stream::Brotli(Box::new(brotli::CompressorWriter::new(
                Vec::new(),
                BROTLI_BUFFER,
                BROTLI_QUALITY,
                WINDOW_LOG,
            ))),
            Coding::Gzip => Stream::Gzip(GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL))),
        };
        Some(Self { stream, _memory: memory })
    }

    /// Takes a piece; gives what is ready, which may be nothing.
    pub(crate) fn write(&mut self, data: &[u8]) -> io::Result<Bytes> {
        self.writer().write_all(data)?;
        Ok(self.output())
    }

    /// Gives all that is needed to read what was taken so far.
    pub(crate) fn flush(&mut self) -> io::Result<Bytes> {
        self.writer().flush()?;
        Ok(self.output())
    }

    /// Gives the end.
    pub(crate) fn finish(self) -> io::Result<Bytes> {
        let rest = match self.stream {
            Stream::Zstd(encoder) => encoder.finish()?,
            Stream::Brotli(encoder) => encoder.into_inner(),
            Stream::Gzip(encoder) => encoder.finish()?,
        };
        Ok(Bytes::from(rest))
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.stream {
            Stream::Zstd(encoder) => encoder,
            Stream::Brotli(encoder) => &mut **encoder,
            Stream::Gzip(encoder) => encoder,
        }
    }

    fn output(&mut self) -> Bytes {
        let output = match &mut self.stream {
            Stream::Zstd(encoder) => encoder.get_mut(),
            Stream::Brotli(encoder) => encoder.get_mut(),
            Stream::Gzip(encoder) => encoder.get_mut(),
        };
        Bytes::from(std::mem::take(output))
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.stream {
            Stream::Zstd(_) => "Encoder(zstd)",
            Stream::Brotli(_) => "Encoder(br)",
            Stream::Gzip(_) => "Encoder(gzip)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// What can be read of a stream that need not have ended.
    fn read_so_far(coding: Coding, bytes: &[u8], length: usize) -> Vec<u8> {
        let mut text = vec![0; length];
        match coding {
            Coding::Zstd => zstd::stream::read::Decoder::new(bytes).unwrap().read_exact(&mut text),
            Coding::Brotli => brotli::Decompressor::new(bytes, 4096).read_exact(&mut text),
            Coding::Gzip => flate2::read::GzDecoder::new(bytes).read_exact(&mut text),
        }
        .unwrap();
        text
    }

    #[test]
    fn a_flush_gives_all_that_was_taken_and_the_whole_is_smaller() {
        let piece = b"one line of many that are alike\n".repeat(100);
        for coding in Coding::ALL {
            let mut encoder = Encoder::new(coding).unwrap();
            let (mut packed, mut taken) = (Vec::new(), Vec::new());
            for _ in 0..20 {
                packed.extend(encoder.write(&piece).unwrap());
                packed.extend(encoder.flush().unwrap());
                taken.extend_from_slice(&piece);
                assert!(read_so_far(coding, &packed, taken.len()) == taken, "{coding:?}");
            }
            packed.extend(encoder.finish().unwrap());
            assert!(read_so_far(coding, &packed, taken.len()) == taken);
            assert!(packed.len() < taken.len() / 20, "{coding:?}: {} bytes", packed.len());
        }
    }
}
