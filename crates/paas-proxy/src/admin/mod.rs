//! The admin API: HTTP/1.1 with JSON on a Unix socket.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/status` | [`ProxyStatus`](crate::ProxyStatus) |
//! | `GET /v1/metrics` | [`ProxyMetrics`](crate::ProxyMetrics) |
//! | `GET /v1/services` | list of [`ServiceStatus`](crate::ServiceStatus) |
//! | `PUT /v1/services/NAME`, a [`ServiceSpec`](crate::ServiceSpec) | [`PutOutcome`](crate::PutOutcome) |
//! | `DELETE /v1/services/NAME` | [`DeleteOutcome`](crate::DeleteOutcome) |
//! | `GET /v1/certificates` | list of [`CertificateStatus`](crate::CertificateStatus) |
//! | `PUT /v1/certificates/HOST`, a [`CertificateSpec`](crate::CertificateSpec) | [`CertificateOutcome`](crate::CertificateOutcome) |
//! | `DELETE /v1/certificates/HOST` | [`CertificateOutcome`](crate::CertificateOutcome) |
//! | `PUT /v1/challenges/HOST`, a [`ChallengeSpec`](crate::ChallengeSpec) | `{}` |
//! | `DELETE /v1/challenges/HOST` | `{}` |
//! | `POST /v1/targets/ID/drain`, `{"timeout_ms": N}` | [`DrainOutcome`](crate::DrainOutcome) |
//! | `POST /v1/hand-over` | [`HandOverOutcome`](crate::HandOverOutcome) |
//! | `POST /v1/alone/targets/ID/drain`, `{"timeout_ms": N}`: asks this process alone | [`DrainOutcome`](crate::DrainOutcome) |
//! | `POST /v1/alone/follow`: the table on disk has changed | `{}` |
//! | `POST /v1/alone/end`: somebody waits for this process, which only drains | `{}`, or the end of the connection |
//!
//! After a hand-over only the last three are answered, which the successor sends; others are refused as
//! [`Moved`](crate::RefusalKind::Moved).
//!
//! A refused command is answered 4xx or 5xx with a [`Refusal`](crate::Refusal).

mod api;
mod predecessors;
mod server;
mod socket;

pub(crate) use api::{Admin, Done, DrainRequest};
pub(crate) use predecessors::Predecessors;
pub(crate) use server::serve;
pub(crate) use socket::{AdminListener, Names};
