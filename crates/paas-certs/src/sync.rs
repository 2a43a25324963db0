use std::collections::HashMap;

use paas_acme::CertificateFacts;
use paas_domain::Hostname;
use paas_proxy::{CertificateSpec, CertificateStatus, KeyPem, ProxyClientError};
use paas_store::{Pair, StoreError};

use crate::{
    choice::Choice,
    keeper::{KeepError, Keeper, View},
};

impl Keeper {
    /// Makes the proxy serve the best certificate of each name, and none for other names.
    ///
    /// A name that the proxy refuses keeps no other waiting; the last refusal is told.
    pub(crate) async fn sync(&self, view: &View, now: i64) -> Result<(), KeepError> {
        let served = self.proxy.certificates().await?;
        let served: HashMap<&str, &CertificateStatus> =
            served.iter().map(|status| (status.host.as_str(), status)).collect();
        let mut refused = Ok(());
        for (host, app) in &view.names {
            let Some(choice) = view.stock.choose(host, *app, now) else { continue };
            let is_served = served.get(host.as_str()).is_some_and(|status| {
                status.fingerprint == choice.validity().fingerprint && status.trusted == choice.is_trusted()
            });
            if is_served {
                continue;
            }
            match self.serve(host, choice).await {
                Err(KeepError::Proxy(ProxyClientError::Refused(refusal))) => {
                    tracing::error!(%host, error = %refusal, "the proxy does not take a certificate");
                    refused = Err(ProxyClientError::Refused(refusal).into());
                }
                served => served?,
            }
        }
        for host in served.keys().filter(|host| !is_wanted(view, host)) {
            self.proxy.delete_certificate(host).await?;
        }
        refused
    }

    async fn serve(&self, host: &Hostname, choice: Choice<'_>) -> Result<(), KeepError> {
        // When it was replaced since it was read, the next look serves the new one.
        let Some(Pair { chain, key }) = self.pair(choice)? else { return Ok(()) };
        if CertificateFacts::read(&chain)?.fingerprint != choice.validity().fingerprint {
            return Ok(());
        }
        let spec = CertificateSpec {
            host: host.to_string(),
            chain,
            // To the proxy, which is to use it.
            key: KeyPem::new(key.expose().to_owned()),
            trusted: choice.is_trusted(),
        };
        self.proxy.put_certificate(&spec).await?;
        tracing::info!(%host, issuer = choice.validity().issuer, "a name is served with a new certificate");
        Ok(())
    }

    fn pair(&self, choice: Choice<'_>) -> Result<Option<Pair>, StoreError> {
        match choice {
            Choice::Added(added) => self.store.added_pair(added.id),
            Choice::Ours(ours) => self.store.certificate_pair(&ours.hostname, ours.source),
        }
    }
}

fn is_wanted(view: &View, host: &str) -> bool {
    Hostname::new(host).is_ok_and(|host| view.names.contains_key(&host))
}
