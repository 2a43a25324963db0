//! Keeps a certificate for every hostname: the store, the authorities and the proxy brought together.

#![forbid(unsafe_code)]
