use http::Method;
use paas_domain::{AppName, VolumeName};

use super::{Change, Client, ClientError};
use crate::wire::{CreateVolume, MountInfo, MountVolume, UnmountVolume, VolumeInfo};

impl Client {
    /// The volumes this identity may see: an admin all, others those that only their apps mount.
    pub async fn volumes(&self) -> Result<Vec<VolumeInfo>, ClientError> {
        self.get("/v1/volumes").await
    }

    /// Makes a volume; admins only.
    pub async fn create_volume(&self, name: &VolumeName) -> Result<(), ClientError> {
        self.call(Method::POST, "/v1/volumes", &CreateVolume { name: name.clone() }).await
    }

    /// Destroys a volume with its data; refused while an app mounts it. Admins only.
    pub async fn destroy_volume(&self, name: &VolumeName) -> Result<(), ClientError> {
        self.call(Method::DELETE, &format!("/v1/volumes/{name}"), &()).await
    }

    /// Where an app has volumes mounted.
    pub async fn mounts(&self, app: &AppName) -> Result<Vec<MountInfo>, ClientError> {
        self.get(&format!("/v1/apps/{app}/mounts")).await
    }

    /// Mounts a volume.
    pub async fn mount(&self, app: &AppName, change: &MountVolume) -> Result<Change, ClientError> {
        self.change(Method::POST, &format!("/v1/apps/{app}/mounts"), change).await
    }

    /// Unmounts a volume; its data stays.
    pub async fn unmount(&self, app: &AppName, change: &UnmountVolume) -> Result<Change, ClientError> {
        self.change(Method::DELETE, &format!("/v1/apps/{app}/mounts"), change).await
    }
}
