//! How a station proves who it is, as clients see it.

use serde::Serialize;

use super::SecurityType;

/// How a station proves who it is, as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SecurityView {
    /// none, basic_auth or client_certificate.
    #[serde(rename = "type")]
    pub kind: SecurityType,
    /// The user name of HTTP Basic: the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whether it may connect with TLS only.
    pub tls: bool,
    /// Whether it was sent a new password and has not connected with it yet: until then it may come with the old one, too.
    pub password_pending: bool,
    /// The password: only in the answer to setting it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}
