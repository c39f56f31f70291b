//! Requests to log in that a browser went to a provider with: from one secret in its cookie comes all that binds the answer to it.
//!
//! The store has a hash of the secret only, until the browser is back or ten minutes are over: whoever reads the store can finish no
//! login, and whoever sends the same answer again finds the request gone.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::panel::operators::links::hash;
use crate::store::schema::operator_oidc_requests as requests;
use crate::store::{Conn, StoreResult, secrets};
use kernel::Timestamp;

/// How long somebody may take at the provider: to find a password, a telephone, and its code.
pub(super) const LASTS: Duration = Duration::from_secs(600);

/// A request, from the secret in the cookie of the browser that makes it.
#[derive(Clone)]
pub(super) struct Request {
    secret: String,
}

impl Request {
    /// A new one.
    pub(super) fn draw() -> Self {
        Self { secret: secrets::draw() }
    }

    /// The one that a cookie is of.
    pub(super) fn of(secret: &str) -> Self {
        Self { secret: secret.to_owned() }
    }

    /// What the cookie holds.
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    /// What the provider sends back in the address.
    pub(super) fn state(&self) -> String {
        self.derive(b"evenwatt: OpenID Connect state")
    }

    /// What the provider puts into the ID token.
    pub(super) fn nonce(&self) -> String {
        self.derive(b"evenwatt: OpenID Connect nonce")
    }

    /// What proves to the provider that who exchanges the code began the login: 43 letters, as RFC 7636 asks for.
    pub(super) fn verifier(&self) -> String {
        self.derive(b"evenwatt: PKCE verifier")
    }

    /// The form of the verifier that is sent ahead (S256).
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier().as_bytes()))
    }

    /// The secret is 256 random bits, so that none of what is derived says anything about another.
    fn derive(&self, purpose: &[u8]) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).map(|mut mac| {
            mac.update(purpose);
            URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
        });
        mac.unwrap_or_default() // a key of any length will do
    }

    /// Notes that it was made.
    pub(super) fn insert(&self, conn: &mut Conn, provider: &str, now: Timestamp) -> StoreResult<()> {
        diesel::insert_into(requests::table)
            .values((
                requests::hash.eq(hash(&self.secret)),
                requests::provider.eq(provider),
                requests::expires_at.eq(now + LASTS),
            ))
            .execute(conn)?;
        Ok(())
    }

    /// Uses it up; false where it was made for another provider, used, or is over.
    pub(super) fn take(&self, conn: &mut Conn, provider: &str, now: Timestamp) -> StoreResult<bool> {
        let mine = requests::table
            .filter(requests::hash.eq(hash(&self.secret)))
            .filter(requests::provider.eq(provider))
            .filter(requests::expires_at.gt(now));
        Ok(diesel::delete(mine).execute(conn)? > 0)
    }
}

/// Forgets requests whose browser did not come back.
pub(in crate::panel::operators) fn tidy(conn: &mut Conn, now: Timestamp) -> StoreResult<()> {
    diesel::delete(requests::table.filter(requests::expires_at.le(now))).execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_request_is_derived_apart() {
        let request = Request::of("secret");
        // printf 'evenwatt: PKCE verifier' | openssl dgst -sha256 -hmac secret -binary | basenc --base64url
        assert_eq!(request.verifier(), "Of_0MlQjsaphX1Xxe58Tq0E3Xpfv-CCFMJ_fePAIULE");
        // printf Of_0MlQjsaphX1Xxe58Tq0E3Xpfv-CCFMJ_fePAIULE | openssl dgst -sha256 -binary | basenc --base64url
        assert_eq!(request.challenge(), "nA4x1qj05kmnXXKGdlF5iOXXpEm3cwn8fFvTUJ5xOSA");
        let derived = [request.state(), request.nonce(), request.verifier(), Request::of("other").state()];
        for (at, one) in derived.iter().enumerate() {
            assert_eq!(one.len(), 43, "{one}");
            assert!(!derived[..at].contains(one), "{one}");
        }
    }
}
