//! BuildKit's names of steps.

/// Whether a person who wrote the Dockerfile knows the step: `[2/5] RUN make`, `[builder 1/3] FROM …`, but not BuildKit's own work.
pub(super) fn is_of_dockerfile(name: &str) -> bool {
    name.starts_with('[') && !name.starts_with("[internal]") && !name.starts_with("[auth]")
}

/// The image a step fetches, if fetching is what it does. Such steps ask a registry when the engine does not have the image.
pub(super) fn fetched_image(name: &str) -> Option<&str> {
    const PREFIXES: [&str; 3] =
        ["[internal] load metadata for ", "resolve image config for ", "docker-image://"];
    let reference = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).or_else(|| from(name))?;
    let reference = reference.trim().trim_start_matches("docker-image://");
    let end = reference.find(char::is_whitespace).unwrap_or(reference.len());
    Some(&reference[..end]).filter(|reference| !reference.is_empty())
}

/// Whether the image is the Dockerfile's own frontend, named by a `# syntax=` line.
pub(super) fn is_frontend(name: &str) -> bool {
    name.starts_with("resolve image config for ") || name.starts_with("docker-image://")
}

/// A reference as a person writes it: `alpine:3` for `docker.io/library/alpine:3`.
pub(super) fn short(reference: &str) -> &str {
    let without = reference.strip_prefix("docker.io/").unwrap_or(reference);
    without.strip_prefix("library/").unwrap_or(without)
}

/// `[1/3] FROM x`, `[builder 1/3] FROM x`, and `FROM x` for a `COPY --from=x`.
fn from(name: &str) -> Option<&str> {
    let step = match name.strip_prefix('[') {
        Some(numbered) => numbered.split_once("] ")?.1,
        None => name,
    };
    step.strip_prefix("FROM ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_dockerfiles_steps_are_shown() {
        assert!(is_of_dockerfile("[2/5] RUN make"));
        assert!(is_of_dockerfile("[builder 1/3] FROM docker.io/library/rust:1"));
        for internal in [
            "[internal] load build definition",
            "[auth] library/x:pull",
            "copy /context /",
            "exporting to image",
        ] {
            assert!(!is_of_dockerfile(internal), "{internal}");
        }
    }

    #[test]
    fn fetching_steps_name_their_image() {
        let cases = [
            ("[internal] load metadata for docker.io/library/alpine:3", Some("docker.io/library/alpine:3")),
            ("[1/3] FROM docker.io/library/alpine:3@sha256:00", Some("docker.io/library/alpine:3@sha256:00")),
            ("[builder 1/2] FROM ghcr.io/a/b:1", Some("ghcr.io/a/b:1")),
            ("resolve image config for docker.io/docker/dockerfile:1", Some("docker.io/docker/dockerfile:1")),
            (
                "resolve image config for docker-image://docker.io/docker/dockerfile:1",
                Some("docker.io/docker/dockerfile:1"),
            ),
            ("FROM docker.io/library/tools:latest", Some("docker.io/library/tools:latest")),
            ("[2/3] RUN make", None),
            ("[internal] load metadata for ", None),
        ];
        for (name, image) in cases {
            assert_eq!(fetched_image(name), image, "{name}");
        }
    }

    #[test]
    fn references_are_shortened_as_people_write_them() {
        assert_eq!(short("docker.io/library/alpine:3"), "alpine:3");
        assert_eq!(short("docker.io/docker/dockerfile:1"), "docker/dockerfile:1");
        assert_eq!(short("ghcr.io/a/b:1"), "ghcr.io/a/b:1");
    }
}
