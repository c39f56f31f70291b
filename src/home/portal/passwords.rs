//! Passwords of home users: read with care, hashed with Argon2id off the threads that serve requests.

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use serde_json::Value;
use tokio::sync::Semaphore;
use zxcvbn::{Score, zxcvbn};

use crate::http::fields::{Field, Path, wrong};
use crate::http::{ApiError, ApiResult, Code, Faults};
use crate::json_schema;
use clock::chance;

/// Fewer characters are guessed too easily (NIST SP 800-63B asks for 8 at least).
const SHORTEST: usize = 10;
/// More would only cost time.
const LONGEST: usize = 200;
/// Hashes that are made at the same time: each takes 19 MiB and a processor.
const AT_ONCE: usize = 2;
/// How long a hash waits in the queue before the caller is asked to come back.
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
        let Some(text) = fits else {
            let must = format_args!("a text of {SHORTEST} to {LONGEST} characters");
            return wrong(at, faults, must);
        };
        match zxcvbn(text, &[]).score() {
            Score::Zero | Score::One => {
                let must = "a password that is guessed less easily: no common one, no row of keys or digits";
                wrong(at, faults, must)
            }
            _ => Some(Self(text.to_owned())),
        }
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
        let fits = value.as_str().filter(|text| text.chars().count() <= LONGEST);
        fits.map(|text| Self(text.to_owned())).or_else(|| wrong(at, faults, "the password"))
    }
}

/// The memory that a hash is made in.
type Blocks = Vec<Block>;

/// Makes and compares hashes, a few at a time. Their memory is used again: taken anew by each thread of the pool, it would stay
/// with every one of them.
#[derive(Clone)]
pub struct Hasher {
    slots: Arc<Semaphore>,
    free: Arc<Mutex<Vec<Blocks>>>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(AT_ONCE)), free: Arc::default() }
    }
}

impl Hasher {
    /// The hash to store, with a salt of its own.
    pub async fn hash(&self, Password(password): Password) -> ApiResult<String> {
        let made = self.work(move |blocks| new_hash(&password, blocks)).await?;
        made.map(|hash| hash.to_string()).ok_or_else(|| ApiError::new(Code::Internal, Code::Internal.meaning()))
    }

    /// Whether a password is the one behind the hash. Without a hash it is not, after the same work.
    pub async fn matches(&self, TypedPassword(password): TypedPassword, hash: Option<String>) -> ApiResult<bool> {
        self.work(move |blocks| {
            let known = hash.as_deref().map(PasswordHash::new);
            let found = known.and_then(Result::ok);
            let judged = found.as_ref().unwrap_or(&NOBODYS);
            fits(&password, judged, blocks) == Some(true) && found.is_some()
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce(&mut Blocks) -> T + Send + 'static) -> ApiResult<T> {
        let busy = || ApiError::new(Code::Busy, Code::Busy.meaning()).retry_after(1);
        let slot = tokio::time::timeout(PATIENCE, self.slots.clone().acquire_owned());
        let slot = slot.await.map_err(|_| busy())?.map_err(|_| busy())?;
        let free = Arc::clone(&self.free);
        let done = tokio::task::spawn_blocking(move || {
            let _slot = slot; // also when the caller goes away
            let lock = || free.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = lock().pop();
            let mut blocks = taken.unwrap_or_default();
            let done = work(&mut blocks);
            lock().push(blocks);
            done
        });
        done.await.map_err(|_| ApiError::new(Code::Internal, Code::Internal.meaning()))
    }
}

/// Argon2id with the parameters of today, which are those that OWASP asks for.
fn new_hash(password: &str, blocks: &mut Blocks) -> Option<PasswordHash> {
    let (params, salt) = (Params::default(), Salt::new(&chance::bytes::<{ Salt::RECOMMENDED_LENGTH }>()).ok()?);
    let hash = digest(password, (&params, &salt), Params::DEFAULT_OUTPUT_LEN, blocks)?;
    Some(PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::default().into()),
        params: ParamsString::try_from(&params).ok()?,
        salt: Some(salt),
        hash: Some(hash),
    })
}

fn fits(password: &str, known: &PasswordHash, blocks: &mut Blocks) -> Option<bool> {
    let (params, wanted) = (Params::try_from(known).ok()?, known.hash?);
    let made = digest(password, (&params, &known.salt?), wanted.len(), blocks)?;
    Some(made == wanted) // compared in constant time
}

fn digest(password: &str, (params, salt): (&Params, &Salt), length: usize, blocks: &mut Blocks) -> Option<Output> {
    blocks.resize(params.block_count(), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::default(), params.clone());
    let mut digest = [0; Output::MAX_LENGTH];
    let digest = digest.get_mut(..length)?;
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, digest, blocks).ok()?;
    Output::new(digest).ok()
}

/// The hash of a password that nobody knows: somebody who is not known takes as long as somebody who is.
static NOBODYS: LazyLock<PasswordHash> = LazyLock::new(|| {
    let password = super::secrets::draw();
    let made = new_hash(&password, &mut Blocks::new());
    made.unwrap_or_else(|| PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: None,
        params: ParamsString::default(),
        salt: None,
        hash: None,
    })
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
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
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
    fn common_passwords_are_refused() {
        let is_refused = |text: &str| {
            let mut faults = Faults::default();
            Password::read(&Value::from(text), Path::Root, &mut faults).is_none()
        };
        for common in [
            "1234567890",
            "password123",
            "Password1234",
            "qwertyuiop",
            "aaaaaaaaaaaa",
            "iloveyou12",
            "administrator",
            "0987654321",
            "P@ssw0rd123",
            "abcdefghij",
        ] {
            assert!(is_refused(common), "{common}");
        }
        for own in ["correct horse battery", "vergib-mir 7 Enten", "kT9#wq!2xLp0"] {
            assert!(!is_refused(own), "{own}");
        }
    }

    #[actix_web::test]
    async fn the_memory_of_a_hash_is_used_again() {
        let hasher = Hasher::default();
        for _ in 0..3 {
            let judged = hasher.matches(typed("correct horse battery"), None).await;
            assert!(!judged.expect("an answer"));
        }
        let free = hasher.free.lock().expect("no thread panicked");
        assert_eq!(free.len(), 1, "one after the other needs one");
        assert_eq!(free[0].len(), 19_456, "19 MiB in blocks of 1 KiB");
    }

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(format!("{:?} {:?}", Password("a".to_owned()), typed("b")), "Password TypedPassword");
    }
}
