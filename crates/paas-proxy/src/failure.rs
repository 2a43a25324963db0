use http::StatusCode;

/// Why the proxy itself answers a request. What the visitor is told names no app, address or target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    BadRequest,
    /// The client's body ended badly.
    BrokenBody,
    UnknownHost,
    /// The visitor is none of the users.
    Unauthorized,
    /// The visitor comes from where nobody may come from.
    Forbidden,
    /// The host may not be asked for over this connection.
    Misdirected,
    MethodNotAllowed,
    /// The client did not send the body that was waited for.
    SlowBody,
    BodyTooLarge,
    TargetTooLong,
    HeaderTooLarge,
    UnknownCoding,
    /// A CONNECT for another protocol than WebSockets.
    UnknownProtocol,
    /// No target could be connected to.
    Unreachable,
    /// The target broke the connection or sent no HTTP.
    BadAnswer,
    Stopped,
    Maintenance,
    /// Too many requests wait for a held service, or this one has waited too long.
    Held,
    /// There is no place to buffer the body.
    NoRoom,
    NoTarget,
    /// Too many wait for the same.
    Busy,
    /// The target took too long to answer.
    Timeout,
    /// Cut at the end of a drain.
    Cut,
}

impl Failure {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::BadRequest | Self::BrokenBody => StatusCode::BAD_REQUEST,
            Self::UnknownHost => StatusCode::NOT_FOUND,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::HeaderTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UnknownCoding | Self::UnknownProtocol => StatusCode::NOT_IMPLEMENTED,
            Self::Unreachable | Self::BadAnswer => StatusCode::BAD_GATEWAY,
            Self::Stopped | Self::Maintenance | Self::Held | Self::NoRoom | Self::NoTarget | Self::Busy => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Timeout | Self::Cut => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// One sentence for the visitor.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::BadRequest => "The request could not be understood.",
            Self::BrokenBody => "The request broke off.",
            Self::UnknownHost => "There is nothing at this address.",
            Self::Unauthorized => "A user name and its password are needed here.",
            Self::Forbidden => "This address may not be visited from where you are.",
            Self::Misdirected => "This connection is for another address. Please try again.",
            Self::MethodNotAllowed => "This method is not possible here.",
            Self::SlowBody => "The request took too long to arrive.",
            Self::BodyTooLarge => "What was sent is too large.",
            Self::TargetTooLong => "The address of the request is too long.",
            Self::HeaderTooLarge => "The header of the request is too large.",
            Self::UnknownCoding => "The transfer coding of the request is not supported.",
            Self::UnknownProtocol => "This protocol is not supported.",
            Self::Unreachable => "The application could not be reached. Please try again in a moment.",
            Self::BadAnswer => "The application did not give a proper answer. Please try again in a moment.",
            Self::Stopped => "The application is stopped.",
            Self::Maintenance => "The application is being maintained. Please try again later.",
            Self::Busy => "There is too much to do right now. Please try again in a moment.",
            Self::Held => "The application is being updated. Please try again in a moment.",
            Self::NoRoom => "The server cannot take this request right now. Please try again in a moment.",
            Self::NoTarget => "The application is not running right now. Please try again in a moment.",
            Self::Timeout => "The application took too long to answer.",
            Self::Cut => "The request took too long and was ended.",
        }
    }

    /// True when the rest of the connection cannot be trusted to be a next request, or should not be waited for.
    pub(crate) fn closes(self) -> bool {
        matches!(
            self,
            Self::BadRequest
                | Self::BrokenBody
                | Self::MethodNotAllowed
                | Self::SlowBody
                | Self::BodyTooLarge
                | Self::TargetTooLong
                | Self::HeaderTooLarge
                | Self::UnknownCoding
                | Self::NoRoom
                | Self::Cut
        )
    }
}
