use async_trait::async_trait;
use paas_acme::{Challenge, DnsHook, Proof, SolveError, Solver};
use paas_proxy::{ChallengeProof, ChallengeSpec, ProxyClient};

/// Answers challenges through the proxy, and those about DNS through the administrator's hook.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    pub(crate) proxy: ProxyClient,
    pub(crate) dns_hook: Option<DnsHook>,
}

#[async_trait]
impl Solver for Answers {
    async fn present(&self, challenge: &Challenge) -> Result<(), SolveError> {
        match through_proxy(&challenge.proof) {
            Some(proof) => {
                let spec = ChallengeSpec { host: challenge.host.to_string(), proof };
                let put = self.proxy.put_challenge(&spec).await;
                put.map_err(|error| SolveError::because("the proxy does not show the challenge", error))
            }
            None => self.hook()?.present(challenge).await,
        }
    }

    async fn remove(&self, challenge: &Challenge) {
        if through_proxy(&challenge.proof).is_some() {
            self.forget(challenge.host.as_str()).await;
        } else if let Ok(hook) = self.hook() {
            hook.remove(challenge).await;
        }
    }

    fn abandon(&self, challenge: &Challenge) {
        let (answers, challenge) = (self.clone(), challenge.clone());
        tokio::spawn(async move { answers.remove(&challenge).await });
    }
}

impl Answers {
    /// Takes every answer for the host out of the proxy. Nothing is lost when the proxy is away: it forgets them by itself.
    pub(crate) async fn forget(&self, host: &str) {
        if let Err(error) = self.proxy.delete_challenges(host).await {
            tracing::debug!(host, %error, "challenges could not be taken out of the proxy");
        }
    }

    fn hook(&self) -> Result<&DnsHook, SolveError> {
        let none = || SolveError::new("no `dns_hook` is set under [acme] in /etc/paas/paas.toml");
        self.dns_hook.as_ref().ok_or_else(none)
    }
}

/// The proof as the proxy shows it; `None` when it is about DNS.
fn through_proxy(proof: &Proof) -> Option<ChallengeProof> {
    match proof {
        Proof::Http01 { token, key_authorization } => Some(ChallengeProof::Http01 {
            token: token.clone(),
            key_authorization: key_authorization.clone(),
        }),
        Proof::TlsAlpn01 { digest } => {
            let hex = digest.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
            Some(ChallengeProof::TlsAlpn01 { digest: hex })
        }
        Proof::Dns01 { .. } => None,
    }
}
