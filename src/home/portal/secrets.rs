//! Random secrets in links and refresh tokens.

use sha2::{Digest, Sha256};

pub(super) use crate::store::secrets::draw;

/// What is stored of such a secret: it is too long to be guessed from this.
pub(super) fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
