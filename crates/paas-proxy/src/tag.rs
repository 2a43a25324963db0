use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// Bytes of the hash that are kept: enough that no two of one server's ids meet.
const LENGTH: usize = 9;
const LETTERS: usize = LENGTH * 4 / 3;

/// What a visitor is shown in place of an id: always the same for the same id, and not to be read back. 12 letters of base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag(String);

impl Tag {
    /// `kind` keeps ids of different things apart.
    pub(crate) fn new(kind: &str, id: &str) -> Self {
        let hash = Sha256::new().chain_update(kind).chain_update([0]).chain_update(id).finalize();
        Self(URL_SAFE_NO_PAD.encode(hash.get(..LENGTH).unwrap_or_default()))
    }

    /// Whether a text has the form of a tag.
    pub(crate) fn is_one(text: &str) -> bool {
        text.len() == LETTERS
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_stable_and_tells_ids_apart() {
        let tag = Tag::new("target", "paas-blog-web-1-v3");
        assert_eq!(tag, Tag::new("target", "paas-blog-web-1-v3"));
        assert_ne!(tag, Tag::new("target", "paas-blog-web-1-v4"));
        assert_ne!(tag, Tag::new("candidate", "paas-blog-web-1-v3"));
        assert!(Tag::is_one(tag.as_str()) && !Tag::is_one("x") && !Tag::is_one("abcdefghijk;"));
    }
}
