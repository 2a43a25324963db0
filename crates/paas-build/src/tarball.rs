use std::io::{self, Write};

use tar::{EntryType, Header};

const BLOCK: usize = 512;
/// Bytes of a name in the header itself; a longer one goes before it as a GNU entry of its own.
const NAME: usize = 100;
/// The name of such an entry, as GNU tar writes it.
const LONG: &[u8] = b"././@LongLink";

/// Writes a GNU tar: names byte for byte, owner 0, time 0, so that equal trees are equal bytes and the engine's cache holds across pushes.
pub(crate) struct Tarball<W> {
    out: W,
}

impl<W: Write> Tarball<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }

    pub(crate) fn directory(&mut self, path: &[u8]) -> io::Result<()> {
        let path = [path, b"/"].concat();
        self.header(EntryType::Directory, &path, 0o755, 0, b"")
    }

    pub(crate) fn link(&mut self, path: &[u8], target: &[u8]) -> io::Result<()> {
        self.header(EntryType::Symlink, path, 0o777, 0, target)
    }

    /// A regular file; `content` must write exactly `size` bytes.
    pub(crate) fn file(
        &mut self,
        path: &[u8],
        executable: bool,
        size: u64,
        content: impl FnOnce(&mut W) -> io::Result<()>,
    ) -> io::Result<()> {
        self.header(EntryType::Regular, path, if executable { 0o755 } else { 0o644 }, size, b"")?;
        content(&mut self.out)?;
        self.pad(size)
    }

    /// The end of the archive. Without it a reader sees that the rest is missing.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        self.out.flush()
    }

    fn header(
        &mut self,
        kind: EntryType,
        path: &[u8],
        mode: u32,
        size: u64,
        target: &[u8],
    ) -> io::Result<()> {
        self.long(EntryType::GNULongLink, target)?;
        self.long(EntryType::GNULongName, path)?;
        self.short(kind, path, mode, size, target)
    }

    fn long(&mut self, kind: EntryType, name: &[u8]) -> io::Result<()> {
        if name.len() <= NAME {
            return Ok(());
        }
        let size = name.len() as u64 + 1;
        self.short(kind, LONG, 0o644, size, b"")?;
        self.out.write_all(name)?;
        self.out.write_all(&[0])?;
        self.pad(size)
    }

    fn short(&mut self, kind: EntryType, name: &[u8], mode: u32, size: u64, target: &[u8]) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        // The crate's own setters normalise names; these bytes are what the tree says.
        let old = header.as_old_mut();
        fill(&mut old.name, name);
        fill(&mut old.linkname, target);
        header.set_cksum();
        self.out.write_all(header.as_bytes())
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let missing = size.next_multiple_of(BLOCK as u64) - size;
        self.out.write_all(&[0; BLOCK][..usize::try_from(missing).map_err(io::Error::other)?])
    }
}

fn fill(field: &mut [u8; NAME], bytes: &[u8]) {
    let length = bytes.len().min(NAME);
    field[..length].copy_from_slice(&bytes[..length]);
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_is_written_reads_back_byte_for_byte() {
        let long = [b"d\xff/".as_slice(), &[b'x'; 120]].concat();
        let target = [b"./a//".as_slice(), &[b'y'; 200]].concat();
        let mut out = Vec::new();
        let mut tarball = Tarball::new(&mut out);
        tarball.directory(b"d\xff").unwrap();
        tarball.file(&long, true, 600, |out| out.write_all(&[7; 600])).unwrap();
        tarball.link(b"l", &target).unwrap();
        tarball.file(&[b'n'; 100], false, 0, |_| Ok(())).unwrap();
        tarball.finish().unwrap();

        let mut archive = tar::Archive::new(out.as_slice());
        let mut entries = archive.entries().unwrap().map(Result::unwrap);
        let directory = entries.next().unwrap();
        assert_eq!((&*directory.path_bytes(), directory.header().mode().unwrap()), (&b"d\xff/"[..], 0o755));
        let mut file = entries.next().unwrap();
        assert_eq!((&*file.path_bytes(), file.header().mode().unwrap()), (long.as_slice(), 0o755));
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert_eq!(content, [7; 600]);
        let link = entries.next().unwrap();
        assert_eq!(&*link.link_name_bytes().unwrap(), target.as_slice());
        let edge = entries.next().unwrap();
        assert_eq!(
            (edge.path_bytes().len(), edge.header().mtime().unwrap(), edge.header().uid().unwrap()),
            (100, 0, 0)
        );
        assert!(entries.next().is_none());
        assert_eq!(out.len() % BLOCK, 0);
    }
}
