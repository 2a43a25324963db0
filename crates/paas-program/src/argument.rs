use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use thiserror::Error;

use crate::escaped::Escaped;

/// Why a word was refused as an argument or as an environment variable's value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ArgumentError {
    /// No argv and no environment can hold a NUL.
    #[error("it holds a NUL character")]
    Nul,
    /// It would be read as an option.
    #[error("\"{shown}\" begins with - and would be read as an option")]
    LooksLikeOption {
        /// The word, escaped and cut short.
        shown: String,
    },
    /// `Program::option` was given a prefix that does not end with `=`; the value could then be read as another option.
    #[error("the option {prefix} has to end with =")]
    OpenOption {
        /// The prefix from our source.
        prefix: &'static str,
    },
}

pub(crate) fn check(word: &OsStr, options_ended: bool) -> Result<(), ArgumentError> {
    check_variable(word)?;
    if word.as_bytes().starts_with(b"-") && !options_ended {
        return Err(ArgumentError::LooksLikeOption {
            shown: Escaped::of(&word.to_string_lossy()).to_string(),
        });
    }
    Ok(())
}

pub(crate) fn check_option(prefix: &'static str, value: &OsStr) -> Result<(), ArgumentError> {
    if !prefix.ends_with('=') {
        return Err(ArgumentError::OpenOption { prefix });
    }
    check_variable(value)
}

pub(crate) fn check_variable(value: &OsStr) -> Result<(), ArgumentError> {
    if value.as_bytes().contains(&0) { Err(ArgumentError::Nul) } else { Ok(()) }
}
