//! Secrets that this server makes once and keeps in the store, for those that nobody configured.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;

use super::schema::secrets;
use super::{Conn, StoreResult, StoreUrl};
use clock::chance;
use kernel::Timestamp;

/// 256 random bits that may stand in a URL.
pub fn draw() -> String {
    let bytes: [u8; 32] = chance::bytes();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The secret that is kept under a name, where there is one.
pub fn find(conn: &mut Conn, name: &str) -> StoreResult<Option<String>> {
    Ok(secrets::table.find(name).select(secrets::value).first(conn).optional()?)
}

/// The secret that is kept under a name, made now where there is none.
pub fn keep(conn: &mut Conn, name: &str, now: Timestamp) -> StoreResult<String> {
    if let Some(kept) = find(conn, name)? {
        return Ok(kept);
    }
    let made = draw();
    let row = (secrets::name.eq(name), secrets::value.eq(&made), secrets::created_at.eq(now));
    diesel::insert_into(secrets::table).values(row).execute(conn)?;
    Ok(made)
}

/// Says at the start where a key is: whoever copies the store then knows whether the key goes with it.
pub fn log_where_kept(option: &str, kept: bool, store: &StoreUrl) {
    match kept {
        true => tracing::info!(
            "the key {option} is kept in the {store}, and goes with its copies; configure one to keep it apart"
        ),
        false => tracing::info!("the key {option} is the configured one"),
    }
}
