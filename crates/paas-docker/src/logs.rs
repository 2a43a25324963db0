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

/// The engine sends a frame for each line, and several for one longer than 16 KiB, each with its own time stamp.
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
        self.joiner.push(text, |text| lines.push(LogLine { stderr, timestamp: timestamp.clone(), text }));
        lines
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn out(text: &'static str) -> LogOutput {
        LogOutput::StdOut { message: Bytes::from_static(text.as_bytes()) }
    }

    #[test]
    fn a_line_in_pieces_is_one_line_with_its_first_time() {
        let mut splitter = Splitter::new(true);
        assert!(splitter.push(&out("2026-01-01T00:00:00Z long ")).is_empty());
        let lines = splitter.push(&out("2026-01-01T00:00:01Z line\n"));
        let line = LogLine {
            stderr: false,
            timestamp: Some("2026-01-01T00:00:00Z".to_owned()),
            text: "long line".to_owned(),
        };
        assert_eq!(lines, [line]);
    }

    #[test]
    fn both_channels_are_joined_apart() {
        let mut splitter = Splitter::new(false);
        assert!(splitter.push(&out("a b")).is_empty());
        let stderr = LogOutput::StdErr { message: Bytes::from_static(b"oops\n") };
        assert_eq!(
            splitter.push(&stderr),
            [LogLine { stderr: true, timestamp: None, text: "oops".to_owned() }]
        );
        assert_eq!(splitter.finish(), [LogLine { stderr: false, timestamp: None, text: "a b".to_owned() }]);
    }
}
