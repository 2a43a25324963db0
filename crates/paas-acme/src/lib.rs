//! Certificates: the ACME client, the server's own authority, preflight, and when to renew.

#![forbid(unsafe_code)]
