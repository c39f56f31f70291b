//! Logging in by OpenID Connect: the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636, RFC 9207, RFC 9700).
//!
//! `GET /v1.1/account/oidc/{provider}` sends a browser to its provider, `…/callback` takes it back. What belongs to one login (state,
//! nonce, the verifier of PKCE) is derived from a secret in a cookie of that browser, and works once. The provider's word is an ID token,
//! whose signature, issuer, audience, times and nonce are checked. Whom it is about is found by issuer and subject; only at the first
//! login by the e-mail address, and only where the provider has verified that. Nobody gets an account by it who was not invited.

mod api;
mod id_token;
pub(super) mod identities;
mod metadata;
mod provider;
pub(super) mod requests;

pub(super) use api::routes;
pub use provider::{ProviderSettings, Providers};

crate::spelled! {
    /// Why somebody is not logged in, in a word that the login page has a sentence for.
    pub enum Refusal {
        /// The login was begun in another browser, too long ago, or was finished already.
        Expired = "oidc_expired",
        /// The provider does not answer, or not what it should.
        Unavailable = "oidc_unavailable",
        /// The provider did not log the person in, or the person did not want to.
        Refused = "oidc_refused",
        /// What came back is not from this provider, or not for this login.
        Invalid = "oidc_invalid",
        /// Nobody has invited the address.
        NotInvited = "oidc_not_invited",
        /// The provider names no e-mail address that it has verified.
        Unverified = "oidc_email_unverified",
        /// The address belongs to an account that somebody else of this provider uses.
        OtherPerson = "oidc_other_person",
        /// The person works nowhere any more.
        Disabled = "oidc_disabled",
        /// The store takes nothing at the moment.
        Busy = "busy",
    }
}
