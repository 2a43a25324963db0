use std::path::Path;

use crate::failure::Failure;

/// Refuses to build while a file system that the build fills has less than `floor` bytes left for us. A path that is not there is not checked: the
/// engine may keep its data on another machine.
pub(crate) fn check(paths: &[&Path], floor: u64) -> Result<(), Failure> {
    for path in paths {
        let Ok(space) = rustix::fs::statvfs(*path) else { continue };
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        if free < floor {
            return Err(Failure::new(format!(
                "the disk under {} is nearly full: {} free, and a build needs {}",
                path.display(),
                human(free),
                human(floor)
            ))
            .hint("free some space (`docker system df` shows what Docker holds), or lower `min_free` under [build] in /etc/paas/paas.toml"));
        }
    }
    Ok(())
}

/// Bytes for people: `1.5 GiB`.
pub(crate) fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_refused_in_plain_words() {
        let here = Path::new("/");
        assert!(check(&[here], 1).is_ok());
        let failure = check(&[here], u64::MAX).unwrap_err();
        assert!(failure.message.contains("nearly full"), "{}", failure.message);
        assert!(check(&[Path::new("/no/such/path")], u64::MAX).is_ok());
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(human(512), "512 B");
        assert_eq!(human(2 << 30), "2.0 GiB");
    }
}
