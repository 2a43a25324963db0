//! Build contexts made by hand: a tar in memory or as a stream.

use bytes::Bytes;
use futures_util::stream;
use paas_docker::ContextStream;

/// Where the tests find a static shell. Debian and Ubuntu: package `busybox-static`.
pub const BUSYBOX: &str = "/bin/busybox";

/// A tar with these files.
pub fn tar(files: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes, mode) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(*mode);
        header.set_mtime(1_700_000_000);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A context of busybox and this Dockerfile, plus other small files.
pub fn busybox(dockerfile: &str, files: &[(&str, &str)]) -> ContextStream {
    let busybox = std::fs::read(BUSYBOX).unwrap();
    let mut all = vec![("busybox", busybox.as_slice(), 0o755), ("Dockerfile", dockerfile.as_bytes(), 0o644)];
    all.extend(files.iter().map(|(path, text)| (*path, text.as_bytes(), 0o644)));
    of(tar(&all))
}

/// A context of a Dockerfile alone.
pub fn only(dockerfile: &str) -> ContextStream {
    of(tar(&[("Dockerfile", dockerfile.as_bytes(), 0o644)]))
}

/// Bytes in pieces.
pub fn of(bytes: Vec<u8>) -> ContextStream {
    let bytes = Bytes::from(bytes);
    let pieces: Vec<_> = (0..bytes.len())
        .step_by(64 * 1024)
        .map(|at| Ok(bytes.slice(at..bytes.len().min(at + 64 * 1024))))
        .collect();
    Box::pin(stream::iter(pieces))
}
