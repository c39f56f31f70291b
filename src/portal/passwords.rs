//! Passwords of home users: read with care, hashed with Argon2id off the threads that serve requests.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::http::fields::{Field, Path, wrong};
use crate::http::{ApiError, ApiResult, Code, Faults};
use crate::json_schema;

/// Fewer characters are guessed too easily (NIST SP 800-63B asks for 8 at least).
const SHORTEST: usize = 10;
/// More would only cost time.
const LONGEST: usize = 200;
/// Hashes that are made at the same time: each takes 19 MiB and a processor.
const AT_ONCE: usize = 2;
/// How long a hash waits for its turn before the caller is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// A password as somebody typed it; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

json_schema!(Password, {"type": "string", "format": "password", "minLength": 10, "maxLength": 200, "example": "correct horse battery"});

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl Field for Password {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let text = value.as_str();
        let fits = text.filter(|text| (SHORTEST..=LONGEST).contains(&text.chars().count()));
        let must = format_args!("a text of {SHORTEST} to {LONGEST} characters");
        fits.map(|text| Self(text.to_owned()))
            .or_else(|| wrong(at, faults, must))
    }
}

/// What was typed at a login: it may be anything, since it is only compared.
#[derive(Clone, PartialEq, Eq)]
pub struct TypedPassword(String);

json_schema!(TypedPassword, {"type": "string", "format": "password", "maxLength": 200, "example": "correct horse battery"});

impl fmt::Debug for TypedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedPassword")
    }
}

impl Field for TypedPassword {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let fits = value
            .as_str()
            .filter(|text| text.chars().count() <= LONGEST);
        fits.map(|text| Self(text.to_owned()))
            .or_else(|| wrong(at, faults, "the password"))
    }
}

/// Makes and compares hashes, a few at a time.
#[derive(Debug, Clone)]
pub(super) struct Hasher(Arc<Semaphore>);

impl Default for Hasher {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Hasher {
    /// The hash to store, with a salt of its own.
    pub async fn hash(&self, Password(password): Password) -> ApiResult<String> {
        let made = self.work(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string()).ok()
        });
        made.await?
            .ok_or_else(|| ApiError::new(Code::Internal, Code::Internal.meaning()))
    }

    /// Whether a password is the one behind the hash. Without a hash it is not, after the same work.
    pub async fn matches(
        &self,
        TypedPassword(password): TypedPassword,
        hash: Option<String>,
    ) -> ApiResult<bool> {
        self.work(move || {
            let (known, nobodys) = (hash.is_some(), NOBODYS.as_str());
            let hash = hash.as_deref().unwrap_or(nobodys);
            let verified = PasswordHash::new(hash).is_ok_and(|hash| {
                let verifier = Argon2::default();
                verifier.verify_password(password.as_bytes(), &hash).is_ok()
            });
            verified && known
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> ApiResult<T> {
        let busy = || ApiError::new(Code::Busy, Code::Busy.meaning()).retry_after(1);
        let turn = tokio::time::timeout(PATIENCE, self.0.clone().acquire_owned());
        let turn = turn.await.map_err(|_| busy())?.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn; // also when the caller goes away
            work()
        });
        done.await
            .map_err(|_| ApiError::new(Code::Internal, Code::Internal.meaning()))
    }
}

/// The hash of a password that nobody knows: somebody who is not known takes as long as somebody who is.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    let password = super::secrets::draw();
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).unwrap_or_default()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> TypedPassword {
        TypedPassword(text.to_owned())
    }

    #[actix_web::test]
    async fn a_hash_fits_one_password_and_nobody_fits_none() {
        let hasher = Hasher::default();
        let password = Password("correct horse battery".to_owned());
        let hash = hasher.hash(password).await.expect("a hash");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let matches = async |text: &str, hash: Option<&str>| {
            let hash = hash.map(str::to_owned);
            hasher.matches(typed(text), hash).await.expect("an answer")
        };
        assert!(matches("correct horse battery", Some(&hash)).await);
        assert!(!matches("correct horse batterx", Some(&hash)).await);
        assert!(!matches("correct horse battery", None).await);
        assert!(!matches("correct horse battery", Some("no hash")).await);
    }

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(
            format!("{:?} {:?}", Password("a".to_owned()), typed("b")),
            "Password TypedPassword"
        );
    }
}
