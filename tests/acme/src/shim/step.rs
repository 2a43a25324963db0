/// What a request is for, by Pebble's paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The directory.
    Directory,
    /// A fresh nonce.
    NewNonce,
    /// A new account.
    NewAccount,
    /// A new order.
    NewOrder,
    /// A look at an order.
    Order,
    /// A look at an authorization.
    Authorization,
    /// A challenge is ready.
    Challenge,
    /// The signing request.
    Finalize,
    /// The certificate.
    Certificate,
    /// Renewal information; ours.
    RenewalInfo,
    /// Anything else.
    Other,
}

impl Step {
    pub(crate) fn of(path: &str) -> Self {
        let known = [
            ("/dir", Self::Directory),
            ("/nonce-plz", Self::NewNonce),
            ("/sign-me-up", Self::NewAccount),
            ("/order-plz", Self::NewOrder),
            ("/my-order/", Self::Order),
            ("/authZ/", Self::Authorization),
            ("/chalZ/", Self::Challenge),
            ("/finalize-order/", Self::Finalize),
            ("/certZ/", Self::Certificate),
            ("/renewal-info/", Self::RenewalInfo),
        ];
        known.into_iter().find(|(start, _)| path.starts_with(start)).map_or(Self::Other, |(_, step)| step)
    }
}
