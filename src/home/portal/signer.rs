//! Access tokens: JSON Web Tokens of a few minutes, signed with HMAC-SHA-256 and nothing else.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::http::{ApiError, ApiResult, Code};
use kernel::{HomeLoginId, OrganizationId, Timestamp, UserId};

/// Who made a token, and for whom it is: no other token of ours is taken for one.
const ISSUER: &str = "evenwatt";
const AUDIENCE: &str = "evenwatt-portal";
/// The one algorithm; a token that names another (or `none`) is refused.
const ALGORITHM: Algorithm = Algorithm::HS256;

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    /// Whose data may be touched.
    pub org: OrganizationId,
    /// Who.
    pub sub: UserId,
    /// By which login.
    pub login: HomeLoginId,
}

/// Signs access tokens and reads them.
pub(super) struct Signer {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    pub lifetime: Duration,
}

impl Signer {
    pub(super) fn new(key: &str, lifetime: Duration) -> Self {
        let mut validation = Validation::new(ALGORITHM);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_exp = false; // `read` compares it with our own clock
        Self {
            encoding: EncodingKey::from_secret(key.as_bytes()),
            decoding: DecodingKey::from_secret(key.as_bytes()),
            validation,
            lifetime,
        }
    }

    pub(super) fn sign(
        &self,
        (org, sub, login): (OrganizationId, UserId, HomeLoginId),
        now: Timestamp,
    ) -> ApiResult<String> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat: now.unix_seconds(),
            exp: (now + self.lifetime).unix_seconds(),
            org,
            sub,
            login,
        };
        encode(&Header::new(ALGORITHM), &claims, &self.encoding)
            .map_err(|_| ApiError::new(Code::Internal, Code::Internal.meaning()))
    }

    /// What a token says, when it is one of ours and not over.
    pub(super) fn read(&self, token: &str, now: Timestamp) -> Option<Claims> {
        let claims: Claims = decode(token, &self.decoding, &self.validation).ok()?.claims;
        (now.unix_seconds() < claims.exp).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use kernel::RawId;

    const NOON: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    fn signer(key: &str) -> Signer {
        Signer::new(key, Duration::from_secs(600))
    }

    fn token(signer: &Signer) -> String {
        let id = RawId::from_bytes([7; 12]);
        signer.sign((id.into(), id.into(), id.into()), NOON).expect("a token")
    }

    #[test]
    fn a_token_is_read_until_it_is_over() {
        let ours = signer("0123456789abcdef0123456789abcdef");
        let token = token(&ours);
        let read = |seconds: u64| ours.read(&token, NOON + Duration::from_secs(seconds));
        assert_eq!(read(599).expect("valid").sub, UserId::from(RawId::from_bytes([7; 12])));
        assert_eq!(read(600), None);
        assert_eq!(signer("another").read(&token, NOON), None, "another key");
    }

    #[test]
    fn no_token_passes_that_was_tampered_with_or_names_another_algorithm() {
        let key = "0123456789abcdef0123456789abcdef";
        let (ours, token) = (signer(key), token(&signer(key)));
        let parts: Vec<&str> = token.split('.').collect();
        let json = |header: &str| URL_SAFE_NO_PAD.encode(header);
        for header in [r#"{"alg":"none","typ":"JWT"}"#, r#"{"alg":"None"}"#, r#"{"typ":"JWT"}"#] {
            for signature in ["", parts[2]] {
                let forged = format!("{}.{}.{signature}", json(header), parts[1]);
                assert_eq!(ours.read(&forged, NOON), None, "{header}");
            }
        }
        let claims = ours.read(&token, NOON).expect("valid");
        let stronger = Header::new(Algorithm::HS512);
        let other = encode(&stronger, &claims, &EncodingKey::from_secret(key.as_bytes()));
        assert_eq!(ours.read(&other.expect("a token"), NOON), None, "right key, other algorithm");
        let foreign = Claims { aud: "another".to_owned(), ..claims };
        let foreign = encode(&Header::new(ALGORITHM), &foreign, &EncodingKey::from_secret(key.as_bytes()));
        assert_eq!(ours.read(&foreign.expect("a token"), NOON), None, "another audience");
        let payload = parts[1].replace(&parts[1][..4], "eyJh");
        assert_eq!(ours.read(&format!("{}.{payload}x.{}", parts[0], parts[2]), NOON), None);
        for nonsense in ["", ".", "..", "ew_live_x", "a.b.c"] {
            assert_eq!(ours.read(nonsense, NOON), None);
        }
    }
}
