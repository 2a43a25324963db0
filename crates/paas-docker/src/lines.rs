//! Lines out of pieces of output.

/// A line longer than this is cut into several, so that output without a newline cannot fill the memory.
pub(crate) const MAX_LINE_BYTES: usize = 64 * 1024;

/// Joins pieces of output to lines.
#[derive(Debug, Default)]
pub(crate) struct LineJoiner {
    partial: Vec<u8>,
}

impl LineJoiner {
    /// Takes a piece and gives every line it completes, without the newline, lossily UTF-8.
    pub(crate) fn push(&mut self, mut piece: &[u8], mut line: impl FnMut(String)) {
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            self.fill(&piece[..end], &mut line);
            line(self.take());
            piece = &piece[end + 1..];
        }
        self.fill(piece, &mut line);
    }

    /// Ends the line here, as a newline would.
    pub(crate) fn end(&mut self) -> String {
        self.take()
    }

    /// What came after the last newline, if anything did.
    pub(crate) fn finish(&mut self) -> Option<String> {
        (!self.partial.is_empty()).then(|| self.take())
    }

    /// Whether a line has begun.
    pub(crate) fn is_empty(&self) -> bool {
        self.partial.is_empty()
    }

    fn fill(&mut self, mut piece: &[u8], line: &mut impl FnMut(String)) {
        while self.partial.len() + piece.len() > MAX_LINE_BYTES {
            let room = MAX_LINE_BYTES - self.partial.len();
            self.partial.extend_from_slice(&piece[..room]);
            line(self.take());
            piece = &piece[room..];
        }
        self.partial.extend_from_slice(piece);
    }

    fn take(&mut self) -> String {
        let mut bytes = std::mem::take(&mut self.partial);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> (Vec<String>, Option<String>) {
        let (mut joiner, mut lines) = (LineJoiner::default(), Vec::new());
        for piece in pieces {
            joiner.push(piece, |line| lines.push(line));
        }
        (lines, joiner.finish())
    }

    #[test]
    fn pieces_become_lines() {
        let (whole, rest) = lines(&[b"on", b"e\r\ntwo\n\nthr", b"ee"]);
        assert_eq!(whole, ["one", "two", ""]);
        assert_eq!(rest.as_deref(), Some("three"));
        assert_eq!(lines(&[b"end\n"]), (vec!["end".to_owned()], None));
    }

    #[test]
    fn what_is_not_utf8_is_shown_lossily() {
        assert_eq!(lines(&[b"a\xffb\n"]).0, ["a\u{fffd}b"]);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let long = vec![b'x'; MAX_LINE_BYTES * 2 + 3];
        let (whole, rest) = lines(&[&long]);
        assert_eq!(whole.iter().map(String::len).collect::<Vec<_>>(), [MAX_LINE_BYTES, MAX_LINE_BYTES]);
        assert_eq!(rest.as_deref(), Some("xxx"));
    }
}
