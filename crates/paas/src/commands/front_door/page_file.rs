//! HTML out of a file or from standard input.

use std::{fs::File, io::Read as _};

use clap::Args;
use paas_domain::LARGEST_PAGE;

use crate::{
    commands::config_set::read_input,
    context::{Context, LocalInput},
    error::CliError,
};

/// Where a page comes from.
#[derive(Debug, Args)]
pub(super) struct PageFile {
    /// The page is on standard input already, whatever FILE says: a laptop has put it there
    #[arg(long, hide = true)]
    stdin: bool,
}

impl PageFile {
    /// What a laptop puts on the server's standard input.
    pub(super) fn local_input(&self, file: Option<&String>) -> LocalInput {
        match file {
            Some(file) if file != "-" && !self.stdin => LocalInput::File(file.into()),
            _ => LocalInput::Inherited,
        }
    }

    /// Reads the page. Over ssh a name would be one of the server's files, and those are nobody's to show.
    pub(super) fn read(&self, context: &Context, file: &str) -> Result<String, CliError> {
        if self.stdin || file == "-" {
            return read_input();
        }
        if !context.reads_files {
            return Err(CliError::usage("over ssh a page comes on standard input")
                .hint("write - in place of the file: ssh paas@HOST pages:set blog 502 - < 502.html"));
        }
        let failed = |error: std::io::Error| CliError::refused(format!("{file} cannot be read: {error}"));
        let mut html = Vec::new();
        // One byte more than fits, so that what is too large is told from what just fits.
        File::open(file)
            .map_err(failed)?
            .take(LARGEST_PAGE as u64 + 1)
            .read_to_end(&mut html)
            .map_err(failed)?;
        if html.len() > LARGEST_PAGE {
            return Err(CliError::refused(format!("{file} has more than 64 KiB, the most a page may have")));
        }
        String::from_utf8(html).map_err(|_| CliError::refused(format!("{file} is not UTF-8 text")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paas_control::Client;

    #[test]
    fn a_session_reads_no_file_of_the_server() {
        let directory = std::env::temp_dir();
        let client = || Client::new("/nonexistent".into(), None);
        let session = Context { client: client(), reads_files: false };
        let page = PageFile { stdin: false };
        assert!(page.read(&session, "/etc/hostname").is_err());
        let server = Context { client: client(), reads_files: true };
        let path = directory.join(format!("paas-page-{}.html", std::process::id()));
        std::fs::write(&path, "<p>é</p>").unwrap();
        assert_eq!(page.read(&server, path.to_str().unwrap()).unwrap(), "<p>é</p>");
        std::fs::write(&path, vec![b'a'; LARGEST_PAGE + 1]).unwrap();
        assert!(page.read(&server, path.to_str().unwrap()).is_err());
        std::fs::remove_file(&path).unwrap();
        assert!(page.read(&server, path.to_str().unwrap()).is_err());
    }
}
