use std::io::IoSlice;

/// Pieces up to this many bytes are written as one: copying a little is cheaper than what the kernel does for several.
pub(crate) const MOST: usize = 1024;

/// The pieces as one, if they fit.
pub(crate) fn joined<'a>(pieces: &[IoSlice<'_>], into: &'a mut [u8; MOST]) -> Option<&'a [u8]> {
    let mut length = 0;
    for piece in pieces {
        into.get_mut(length..length + piece.len())?.copy_from_slice(piece);
        length += piece.len();
    }
    into.get(..length)
}
