//! Why a control request is refused.

use thiserror::Error;

/// A refusal. Its text is the `message` of the JSON error, [`Refusal::code`] its `code`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum Refusal {
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    WebhookUrl(#[from] super::webhook_url::WebhookUrlError),
    #[error("the request needs an Authorization header with a Bearer token")]
    TokenMissing,
    #[error("the token is not valid for this request")]
    TokenInvalid,
    #[error("the token has expired")]
    TokenExpired,
    #[error("there is no such subscription")]
    UnknownSubscription,
    #[error("there is no such control route")]
    UnknownRoute,
    #[error("the control route does not take this method")]
    Method { allowed: &'static str },
    #[error("the subscription exists with another configuration")]
    Conflict,
    #[error("the wake is not the current one")]
    Fenced,
    #[error("another worker holds the lease")]
    AlreadyClaimed { current_holder: String, generation: u64 },
    #[error("no linked stream has events beyond its cursor")]
    NoPendingWork,
    #[error("{0}")]
    InvalidOffset(&'static str),
    #[error("the request body is longer than {0} bytes")]
    BodyTooLong(usize),
    #[error("the server holds no more than {0}")]
    Limit(String),
}

impl Refusal {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_REQUEST",
            Self::WebhookUrl(_) => "WEBHOOK_URL_REJECTED",
            Self::TokenMissing | Self::TokenInvalid => "TOKEN_INVALID",
            Self::TokenExpired => "TOKEN_EXPIRED",
            Self::UnknownSubscription => "SUBSCRIPTION_NOT_FOUND",
            Self::UnknownRoute => "NOT_FOUND",
            Self::Method { .. } => "METHOD_NOT_ALLOWED",
            Self::Conflict => "SUBSCRIPTION_ALREADY_EXISTS",
            Self::Fenced => "FENCED",
            Self::AlreadyClaimed { .. } => "ALREADY_CLAIMED",
            Self::NoPendingWork => "NO_PENDING_WORK",
            Self::InvalidOffset(_) => "INVALID_OFFSET",
            Self::BodyTooLong(_) => "BODY_TOO_LONG",
            Self::Limit(_) => "LIMIT_EXCEEDED",
        }
    }
}
