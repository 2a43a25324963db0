//! A container's output, line by line.

use bollard::{container::LogOutput, query_parameters::LogsOptionsBuilder};
use futures_util::{StreamExt, stream};

use crate::{
    client::DockerEngine,
    containers::look,
    engine::{LogLine, LogStream, LogsRequest},
    error::EngineError,
    failure::engine_error,
    lines::LineJoiner,
};

/// The container's output; with `follow` until the container ends.
pub(crate) async fn read(
    engine: &DockerEngine,
    name: &str,
    request: LogsRequest,
) -> Result<LogStream, EngineError> {
    let container = look(engine, name).await?.required(name)?;
    let tail = request.tail.map_or_else(|| "all".to_owned(), |count| count.to_string());
    let options = LogsOptionsBuilder::default()
        .stdout(true)
        .stderr(true)
        .follow(request.follow)
        .timestamps(request.timestamps)
        .tail(&tail)
        .build();
    let frames = engine.docker()?.logs(container.id()?, Some(options));
    let mut splitter = Splitter::new(request.timestamps);
    let name = name.to_owned();
    let lines = frames.map(Some).chain(stream::once(async { None })).flat_map(move |frame| {
        let lines = match frame {
            Some(Ok(frame)) => splitter.push(&frame).into_iter().map(Ok).collect(),
            Some(Err(error)) => vec![Err(engine_error(format!("show the output of {name}"), error))],
            None => splitter.finish().into_iter().map(Ok).collect::<Vec<_>>(),
        };
        stream::iter(lines)
    });
    Ok(Box::pin(lines))
}

/// The engine cuts lines longer than this into several frames, each with its own time stamp.
const FRAME_BYTES: usize = 16 * 1024;

/// Joins the engine's frames: one for each line, several for a long one. Before 23.0 the driver `local` forgets the newline of a long line's last
/// frame, so the end of a line is also a frame that is not full.
struct Splitter {
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
    fn new(timestamps: bool) -> Self {
        Self { timestamps, stdout: Channel::default(), stderr: Channel::default() }
    }

    fn push(&mut self, frame: &LogOutput) -> Vec<LogLine> {
        let stderr = matches!(frame, LogOutput::StdErr { .. });
        let channel = if stderr { &mut self.stderr } else { &mut self.stdout };
        channel.push(frame.as_ref(), self.timestamps, stderr)
    }

    fn finish(&mut self) -> Vec<LogLine> {
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
        if timestamps && let Some(space) = text.iter().position(|byte| *byte == b' ') {
            if self.joiner.is_empty() {
                self.timestamp = Some(String::from_utf8_lossy(&text[..space]).into_owned());
            }
            text = &text[space + 1..];
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
        assert!(splitter.push(&out(&long)).is_empty());
        assert_eq!(splitter.push(&out("")), [line(false, None, &long)]);
    }

    #[test]
    fn both_channels_are_joined_apart() {
        let long = "x".repeat(FRAME_BYTES);
        let mut splitter = Splitter::new(false);
        assert!(splitter.push(&out(&long)).is_empty());
        let stderr = LogOutput::StdErr { message: Bytes::from_static(b"oops\n") };
        assert_eq!(splitter.push(&stderr), [line(true, None, "oops")]);
        assert_eq!(splitter.finish(), [line(false, None, &long)]);
    }
}
