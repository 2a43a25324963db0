//! The engine's log frames as lines.

use bollard::container::LogOutput;

use crate::{engine::LogLine, lines::LineJoiner};

/// The engine cuts lines longer than this into several frames, each with its own time stamp.
const FRAME_BYTES: usize = 16 * 1024;

/// Joins the engine's frames: one for each line, several for a long one. In 20.10 the driver `local` forgets the newline of a long line's last
/// frame, so the end of a line is also a frame that is not full.
pub(super) struct Splitter {
    /// Whether the reader wants the times. The frames have them always.
    timestamps: bool,
    stdout: Channel,
    stderr: Channel,
}

#[derive(Default)]
struct Channel {
    joiner: LineJoiner,
    /// Of the line that has begun.
    timestamp: Option<String>,
}

impl Splitter {
    pub(super) fn new(timestamps: bool) -> Self {
        Self { timestamps, stdout: Channel::default(), stderr: Channel::default() }
    }

    pub(super) fn push(&mut self, frame: &LogOutput) -> Vec<LogLine> {
        let stderr = matches!(frame, LogOutput::StdErr { .. });
        let channel = if stderr { &mut self.stderr } else { &mut self.stdout };
        channel.push(frame.as_ref(), self.timestamps, stderr)
    }

    pub(super) fn finish(&mut self) -> Vec<LogLine> {
        [(false, &mut self.stdout), (true, &mut self.stderr)]
            .into_iter()
            .filter_map(|(stderr, channel)| {
                let text = channel.joiner.finish()?;
                Some(LogLine { stderr, timestamp: channel.timestamp.take(), text })
            })
            .collect()
    }
}

impl Channel {
    fn push(&mut self, mut text: &[u8], timestamps: bool, stderr: bool) -> Vec<LogLine> {
        if let Some((time, rest)) = split_time(text) {
            if timestamps && self.joiner.is_empty() {
                self.timestamp = Some(String::from_utf8_lossy(time).into_owned());
            }
            text = rest;
        }
        let (mut lines, timestamp) = (Vec::new(), self.timestamp.clone());
        let mut add = |text| lines.push(LogLine { stderr, timestamp: timestamp.clone(), text });
        self.joiner.push(text, &mut add);
        if text.len() < FRAME_BYTES && text.last() != Some(&b'\n') {
            add(self.joiner.end());
        }
        lines
    }
}

/// A frame's time stamp (RFC 3339) and its text.
pub(super) fn split_time(frame: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = frame.iter().position(|byte| *byte == b' ')?;
    Some((&frame[..space], &frame[space + 1..]))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut { message: Bytes::copy_from_slice(text.as_bytes()) }
    }

    fn line(stderr: bool, timestamp: Option<&str>, text: &str) -> LogLine {
        LogLine { stderr, timestamp: timestamp.map(str::to_owned), text: text.to_owned() }
    }

    #[test]
    fn a_line_in_pieces_is_one_line_with_its_first_time() {
        let long = "x".repeat(FRAME_BYTES);
        let mut splitter = Splitter::new(true);
        assert!(splitter.push(&out(&format!("2026-01-01T00:00:00Z {long}"))).is_empty());
        let whole = format!("{long}end");
        assert_eq!(
            splitter.push(&out("2026-01-01T00:00:01Z end\n")),
            [line(false, Some("2026-01-01T00:00:00Z"), &whole)]
        );
        assert_eq!(
            splitter.push(&out("2026-01-01T00:00:02Z a b\n")),
            [line(false, Some("2026-01-01T00:00:02Z"), "a b")]
        );
    }

    #[test]
    fn a_short_frame_ends_a_line_that_lost_its_newline() {
        let long = "x".repeat(FRAME_BYTES);
        let mut splitter = Splitter::new(false);
        assert!(splitter.push(&out(&format!("T {long}"))).is_empty());
        assert_eq!(splitter.push(&out("T end")), [line(false, None, &format!("{long}end"))]);
        assert_eq!(splitter.push(&out("T \n")), [line(false, None, "")]);
    }

    #[test]
    fn both_channels_are_joined_apart() {
        let long = "x".repeat(FRAME_BYTES);
        let mut splitter = Splitter::new(false);
        assert!(splitter.push(&out(&format!("T {long}"))).is_empty());
        let stderr = LogOutput::StdErr { message: Bytes::from_static(b"T oops\n") };
        assert_eq!(splitter.push(&stderr), [line(true, None, "oops")]);
        assert_eq!(splitter.finish(), [line(false, None, &long)]);
    }
}
