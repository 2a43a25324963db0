use paas_domain::{MountPath, VolumeName};

use crate::error::CliError;

/// Reads `VOLUME:/path`.
pub(super) fn volume_and_path(text: &str) -> Result<(VolumeName, MountPath), CliError> {
    let Some((volume, path)) = text.split_once(':') else {
        return Err(CliError::usage("say which volume and where: VOLUME:/path, for example uploads:/data"));
    };
    let volume = VolumeName::new(volume).map_err(|error| CliError::usage(error.to_string()))?;
    let path = MountPath::new(path).map_err(|error| CliError::usage(error.to_string()))?;
    Ok((volume, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_a_volume_and_an_absolute_path() {
        assert!(volume_and_path("uploads:/data").is_ok());
        for bad in ["uploads", "uploads:data", "uploads:", ":/data", "/etc:/data", "a:/b:ro"] {
            assert!(volume_and_path(bad).is_err(), "{bad}");
        }
    }
}
