//! Random secrets in links and refresh tokens, and the key that signs access tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::db::schema::secrets;
use crate::db::{Conn, StoreResult};
use crate::kernel::Timestamp;

/// 256 random bits that may stand in a URL.
pub(super) fn draw() -> String {
    let bytes: [u8; 32] = rand::random();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is stored of such a secret: it is too long to be guessed from this.
pub(super) fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// The name of the key that signs access tokens.
const SIGNING_KEY: &str = "portal_signing_key";

/// The kept key, made now where there is none; true when it was made.
pub(super) fn signing_key(conn: &mut Conn, now: Timestamp) -> StoreResult<(String, bool)> {
    let kept = secrets::table
        .find(SIGNING_KEY)
        .select(secrets::value)
        .first(conn)
        .optional()?;
    if let Some(kept) = kept {
        return Ok((kept, false));
    }
    let made = draw();
    let row = (
        secrets::name.eq(SIGNING_KEY),
        secrets::value.eq(&made),
        secrets::created_at.eq(now),
    );
    diesel::insert_into(secrets::table)
        .values(row)
        .execute(conn)?;
    Ok((made, true))
}
