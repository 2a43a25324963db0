//! Which names may become part of a request path.

use crate::error::EngineError;

/// A container, network or volume name as the engine itself allows it (`[a-zA-Z0-9][a-zA-Z0-9_.-]*`). Anything else could reach another
/// endpoint of the API, so it never becomes part of a path.
pub(crate) fn check(name: &str) -> Result<(), EngineError> {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if first && rest {
        return Ok(());
    }
    Err(EngineError::Refused {
        action: format!("use the name {name:?}"),
        message: "a name starts with a letter or a digit and has only letters, digits, `_`, `.` and `-`"
            .to_owned(),
    })
}

/// Whether text can be an image reference: `name[:tag][@digest]` or an id. What cannot be one is not in the engine.
pub(crate) fn is_reference(reference: &str) -> bool {
    let allowed = reference
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | ':' | '@'));
    let first = reference.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    allowed && first && reference.split('/').all(|part| !part.is_empty() && part.chars().any(|c| c != '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_reach_another_endpoint_are_refused() {
        for bad in ["", "../info", "a/b", "a?force=1", "a#b", "-a", ".a", "a b", "ä", "a\n"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        for good in ["paas-blog-web-1-v3", "a", "paas-my_data.1"] {
            assert!(check(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn references_are_tags_digests_and_ids() {
        for good in ["paas/app-1:d7", "localhost:5000/x@sha256:ab", "sha256:0a1b", "nginx"] {
            assert!(is_reference(good), "{good:?}");
        }
        for bad in ["", "a/../b", "../x", "/x", "a//b", "x?y", "x y", "..", "a/."] {
            assert!(!is_reference(bad), "{bad:?}");
        }
    }
}
