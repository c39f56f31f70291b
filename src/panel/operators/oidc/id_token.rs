//! ID tokens: what of one is checked before a word of it is believed (OpenID Connect Core 1.0, section 3.1.3.7).

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq;

use crate::http::Faults;
use crate::http::fields::{Field, Path};
use crate::people::users::Email;
use kernel::text::Name;

/// The algorithms that are taken: each has a public key, so that nobody who can check a token can make one.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256];
/// How far the provider's clock may be from ours, in seconds.
const SKEW: i64 = 60;
/// A token is made for the login that waits for it: an older one is of another, in seconds.
const OLDEST: i64 = 600;
/// Longest name of a person that a provider may give.
const LONGEST_SUBJECT: usize = 255;

/// What is wrong with a token.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum WrongToken {
    #[error("it is no signed token")]
    NoToken,
    #[error("its algorithm is none of RS256, PS256 and ES256")]
    Algorithm,
    #[error("it has a header that must be understood, and is not")]
    Critical,
    #[error("its key is none of the provider's")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("its claims cannot be read")]
    Unreadable,
    #[error("its {0} is wrong")]
    Claim(&'static str),
}

/// For whom a token is: one, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// What a token says of a person.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Claims {
    iss: String,
    /// The provider's own name of the person.
    pub sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<Value>,
    /// Entra has no `email_verified`: this says that the owner of the domain is verified.
    xms_edov: Option<Value>,
    name: Option<String>,
}

/// What a token has to say.
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client: &'a str,
    pub nonce: &'a str,
    /// This instant, in seconds.
    pub now: i64,
}

impl Claims {
    /// The person's address, where the provider has verified that it is theirs.
    pub(super) fn verified_email(&self) -> Option<Email> {
        // Some providers write truth as a text or a number.
        let holds = |said: &Option<Value>| match said {
            Some(Value::Bool(said)) => *said,
            Some(Value::String(said)) => said == "true" || said == "1",
            Some(Value::Number(said)) => said.as_u64() == Some(1),
            _ => false,
        };
        let is_verified = match &self.email_verified {
            None => holds(&self.xms_edov),
            said => holds(said),
        };
        let written = self.email.as_deref().filter(|_| is_verified)?;
        let email = Email::read(&Value::from(written), Path::Root, &mut Faults::default())?;
        // A letter such as the Kelvin sign becomes an ASCII letter in lower case, and the address somebody else's.
        (written.is_ascii() || !email.as_str().is_ascii()).then_some(email)
    }

    /// What the person is called, where the provider says so.
    pub(super) fn name(&self) -> Option<Name> {
        self.name.as_deref()?.trim().parse().ok()
    }
}

/// Reads a token that one of these keys signed, and that says what it has to.
pub(super) fn verify(token: &str, keys: &JwkSet, expected: &Expected<'_>) -> Result<Claims, WrongToken> {
    let header = decode_header(token).map_err(|_| WrongToken::NoToken)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(WrongToken::Algorithm);
    }
    if header.crit.is_some() {
        return Err(WrongToken::Critical);
    }
    let key = key(keys, header.kid.as_deref(), header.alg).ok_or(WrongToken::UnknownKey)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| WrongToken::UnknownKey)?;
    let mut validation = Validation::new(header.alg);
    // Of the claims nothing is left to the crate, which has a clock of its own: see `check`.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let claims = decode::<Value>(token, &key, &validation).map_err(|_| WrongToken::Signature)?.claims;
    let claims: Claims = serde_json::from_value(claims).map_err(|_| WrongToken::Unreadable)?;
    check(&claims, expected)?;
    Ok(claims)
}

/// The key with this id, or the only one that fits where the token names none.
fn key<'k>(keys: &'k JwkSet, id: Option<&str>, algorithm: Algorithm) -> Option<&'k Jwk> {
    let mut fitting = keys.keys.iter().filter(|key| fits(key, algorithm));
    match id {
        Some(id) => fitting.find(|key| key.common.key_id.as_deref() == Some(id)),
        None => fitting.next().filter(|_| fitting.next().is_none()),
    }
}

/// Whether a key is for signatures, and for those of this algorithm.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_of_kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256 | Algorithm::PS256) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        _ => false,
    };
    let signs = key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let named = key.common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm));
    is_of_kind && signs && named
}

/// Compares what a token says with what it has to say.
fn check(claims: &Claims, expected: &Expected<'_>) -> Result<(), WrongToken> {
    let (is_for_us, is_for_others) = match &claims.aud {
        Audience::One(one) => (one == expected.client, false),
        Audience::Several(all) => (all.iter().any(|one| one == expected.client), all.len() > 1),
    };
    // Where it is for others, too, it has to say that it was given to us.
    let is_ours = match claims.azp.as_deref() {
        Some(party) => party == expected.client,
        None => !is_for_others,
    };
    let nonce = claims.nonce.as_deref().unwrap_or_default().as_bytes();
    let is_subject = (1..=LONGEST_SUBJECT).contains(&claims.sub.len())
        && claims.sub.is_ascii()
        && !claims.sub.bytes().any(|byte| byte.is_ascii_control());
    let age = expected.now.saturating_sub(claims.iat);
    let claim = |name, holds| if holds { Ok(()) } else { Err(WrongToken::Claim(name)) };
    claim("iss", claims.iss == expected.issuer)?;
    claim("aud", is_for_us)?;
    claim("azp", is_ours)?;
    claim("exp", expected.now < claims.exp.saturating_add(SKEW))?;
    claim("nbf", claims.nbf.is_none_or(|from| from <= expected.now.saturating_add(SKEW)))?;
    claim("iat", (-SKEW..=OLDEST + SKEW).contains(&age))?;
    claim("nonce", bool::from(nonce.ct_eq(expected.nonce.as_bytes())))?;
    claim("sub", is_subject)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn claims(changes: Value) -> Claims {
        let mut claims = json!({
            "iss": "https://login.example.com", "sub": "1", "aud": "evenwatt", "exp": NOW + 300, "iat": NOW, "nonce": "n",
            "email": "Grace@Example.com", "email_verified": true,
        });
        claims.as_object_mut().expect("an object").extend(changes.as_object().cloned().expect("an object"));
        serde_json::from_value(claims).expect("claims")
    }

    fn checked(changes: Value) -> Result<(), WrongToken> {
        let expected = Expected { issuer: "https://login.example.com", client: "evenwatt", nonce: "n", now: NOW };
        check(&claims(changes), &expected)
    }

    #[test]
    fn a_token_is_for_this_program_this_login_and_this_minute() {
        for right in [
            json!({}),
            json!({"aud": ["evenwatt"]}),
            json!({"aud": ["another", "evenwatt"], "azp": "evenwatt"}),
            json!({"azp": "evenwatt"}),
            json!({"exp": NOW - 59}),
            json!({"iat": NOW + 60}),
            json!({"iat": NOW - 660}),
            json!({"nbf": NOW + 60}),
            json!({"sub": "a".repeat(255)}),
        ] {
            assert_eq!(checked(right.clone()), Ok(()), "{right}");
        }
        for (name, wrong) in [
            ("iss", json!({"iss": "https://login.example.com/"})),
            ("iss", json!({"iss": "https://evil.example.com"})),
            ("aud", json!({"aud": "another"})),
            ("aud", json!({"aud": []})),
            ("aud", json!({"aud": ["another"], "azp": "evenwatt"})),
            ("azp", json!({"aud": ["evenwatt", "another"]})),
            ("azp", json!({"azp": "another"})),
            ("exp", json!({"exp": NOW - 60})),
            ("exp", json!({"exp": i64::MIN})),
            ("nbf", json!({"nbf": NOW + 61})),
            ("iat", json!({"iat": NOW + 61})),
            ("iat", json!({"iat": NOW - 661})),
            ("iat", json!({"iat": i64::MIN})),
            ("nonce", json!({"nonce": "m"})),
            ("nonce", json!({"nonce": null})),
            ("nonce", json!({"nonce": ""})),
            ("sub", json!({"sub": ""})),
            ("sub", json!({"sub": "a".repeat(256)})),
            ("sub", json!({"sub": "a\u{0}b"})),
        ] {
            assert_eq!(checked(wrong.clone()), Err(WrongToken::Claim(name)), "{wrong}");
        }
    }

    #[test]
    fn an_address_counts_where_it_is_verified() {
        let email = |changes| claims(changes).verified_email().map(String::from);
        assert_eq!(email(json!({})).as_deref(), Some("grace@example.com"));
        assert_eq!(email(json!({"email_verified": "true"})).as_deref(), Some("grace@example.com"));
        assert_eq!(email(json!({"email_verified": null, "xms_edov": "1"})).as_deref(), Some("grace@example.com"));
        for wrong in [
            json!({"email_verified": false}),
            json!({"email_verified": false, "xms_edov": true}),
            json!({"email_verified": "false"}),
            json!({"email_verified": null}),
            json!({"email_verified": null, "xms_edov": 0}),
            json!({"email": null}),
            json!({"email": "grace"}),
            json!({"email": "grace@\u{212a}ade.example"}), // the Kelvin sign
        ] {
            assert_eq!(email(wrong.clone()), None, "{wrong}");
        }
        assert_eq!(email(json!({"email": "grace@MÜLLER.example"})).as_deref(), Some("grace@müller.example"));
    }

    #[test]
    fn only_a_key_for_the_signature_of_its_algorithm_fits() {
        let rsa = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"});
        let ec = json!({"kty": "EC", "crv": "P-256", "x": "AQAB", "y": "AQAB"});
        let other = json!({"kty": "EC", "crv": "P-384", "x": "AQAB", "y": "AQAB"});
        let shared = json!({"kty": "oct", "k": "AQAB"});
        let with = |key: &Value, name: &str, value: &str| {
            let mut key = key.clone();
            key[name] = json!(value);
            key
        };
        let found = |keys: &[&Value], id: Option<&str>, algorithm| {
            let set: JwkSet = serde_json::from_value(json!({"keys": keys})).expect("keys");
            key(&set, id, algorithm).is_some()
        };
        assert!(found(&[&rsa], None, Algorithm::RS256) && found(&[&rsa], None, Algorithm::PS256));
        assert!(found(&[&ec, &rsa, &shared], None, Algorithm::ES256));
        assert!(!found(&[&ec], None, Algorithm::RS256) && !found(&[&rsa], None, Algorithm::ES256));
        assert!(!found(&[&shared, &other], None, Algorithm::ES256));
        assert!(!found(&[&rsa, &rsa], None, Algorithm::RS256), "it does not say which");
        assert!(!found(&[&with(&rsa, "use", "enc")], None, Algorithm::RS256));
        assert!(!found(&[&with(&rsa, "alg", "RS512")], None, Algorithm::RS256));
        assert!(found(&[&with(&rsa, "alg", "RS256")], None, Algorithm::RS256));
        let named = [&with(&rsa, "kid", "a"), &with(&rsa, "kid", "b"), &json!({"kty": "new", "kid": "c"})];
        assert!(found(&named, Some("b"), Algorithm::RS256));
        assert!(!found(&named, Some("c"), Algorithm::RS256) && !found(&named, Some("d"), Algorithm::RS256));
        assert!(!found(&[&rsa], Some("a"), Algorithm::RS256), "a token that names its key is of no other");
    }
}
