use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::NameError;

/// The most bytes one page may have.
pub const LARGEST_PAGE: usize = 64 << 10;
/// The most bytes that all pages of an app from one source may have: the proxy keeps them in memory.
const LARGEST_PAGES: usize = 512 << 10;

/// Which of our own pages a page of the app's people stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Page {
    /// What visitors see during maintenance.
    Maintenance,
    /// What they see when the proxy itself answers with that status. 400 to 599: an answer of the app is never replaced.
    Status(u16),
}

impl Page {
    /// Reads `maintenance` or a status.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text == "maintenance" {
            return Ok(Self::Maintenance);
        }
        // As it is written, so that one page has one name: `+404` and `0404` are numbers too.
        if let (3, Ok(status @ 400..=599)) = (text.len(), text.parse()) {
            return Ok(Self::Status(status));
        }
        let rule = "use a status from 400 to 599, like 404 or 502, or the word maintenance";
        Err(NameError::new("a page", text, rule))
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Maintenance => f.write_str("maintenance"),
            Self::Status(status) => status.fmt(f),
        }
    }
}

impl FromStr for Page {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl TryFrom<String> for Page {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl From<Page> for String {
    fn from(page: Page) -> Self {
        page.to_string()
    }
}

/// Why a text cannot be a page.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PageError {
    /// Nothing in it.
    #[error("the page for {0} is empty; give it some HTML")]
    Empty(Page),
    /// Too much in it.
    #[error(
        "the page for {page} has {bytes} bytes, and a page has at most 64 KiB: put images and styles into the page's links"
    )]
    TooLarge {
        /// Which.
        page: Page,
        /// Its size.
        bytes: usize,
    },
    /// Not a text.
    #[error("the page for {0} has control characters, so it is no HTML; save it as UTF-8 text")]
    NotText(Page),
    /// All pages together.
    #[error(
        "the pages of the app would have {bytes} bytes together, and at most 512 KiB are kept: make them smaller, or fewer"
    )]
    TooMany {
        /// Their size.
        bytes: usize,
    },
}

/// Checks one page: UTF-8 text, not empty, at most [`LARGEST_PAGE`].
pub fn check_page(page: Page, html: &str) -> Result<(), PageError> {
    if html.trim().is_empty() {
        return Err(PageError::Empty(page));
    }
    if html.len() > LARGEST_PAGE {
        return Err(PageError::TooLarge { page, bytes: html.len() });
    }
    if html.contains(|c: char| c.is_ascii_control() && !c.is_ascii_whitespace()) {
        return Err(PageError::NotText(page));
    }
    Ok(())
}

/// Checks all pages of an app from one source.
pub fn check_pages(pages: &BTreeMap<Page, String>) -> Result<(), PageError> {
    pages.iter().try_for_each(|(page, html)| check_page(*page, html))?;
    let bytes = pages.values().map(String::len).sum();
    if bytes > LARGEST_PAGES { Err(PageError::TooMany { bytes }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_maintenance_or_an_error() {
        assert_eq!(Page::new("maintenance"), Ok(Page::Maintenance));
        assert_eq!(Page::new("404"), Ok(Page::Status(404)));
        for bad in ["", "200", "308", "600", "0404x", "error", "-404", "+404", "0404", "404 "] {
            assert!(Page::new(bad).unwrap_err().to_string().contains("400 to 599"), "{bad}");
        }
    }

    #[test]
    fn a_page_is_text_of_at_most_64_kib() {
        let page = Page::Status(502);
        assert_eq!(check_page(page, &"a".repeat(64 << 10)), Ok(()));
        assert_eq!(check_page(page, "<p>é\r\n\t</p>"), Ok(()));
        let bytes = (64 << 10) + 1;
        assert_eq!(check_page(page, &"a".repeat(bytes)), Err(PageError::TooLarge { page, bytes }));
        assert_eq!(check_page(page, " \n"), Err(PageError::Empty(page)));
        assert_eq!(check_page(page, "GIF89a\0\u{1}"), Err(PageError::NotText(page)));
        let many =
            |count: u16| (400..400 + count).map(|code| (Page::Status(code), "a".repeat(64 << 10))).collect();
        assert_eq!(check_pages(&many(8)), Ok(()));
        assert_eq!(check_pages(&many(9)), Err(PageError::TooMany { bytes: 9 * (64 << 10) }));
    }
}
