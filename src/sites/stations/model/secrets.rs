//! What is drawn by chance, so that nobody guesses it: endpoints, passwords and codes; and what is stored of passwords.

use sha2::{Digest, Sha256};

use clock::chance;
use kernel::StationId;

/// Letters of what is drawn: none that is read as another.
const LETTERS: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
/// Letters of an endpoint that a password or a certificate stands behind.
const ENDPOINT_LENGTH: usize = 8;
/// Letters of an endpoint that is all that a station has to know: 31^20 are 99 bits.
const SECRET_ENDPOINT_LENGTH: usize = 20;
/// Letters of a password that is made here: OCPP 1.6 stations take up to 20 bytes, some only 16.
const PASSWORD_LENGTH: usize = 16;
/// Letters of the code of an EVSE: drivers type them where a camera fails.
const EVSE_CODE_LENGTH: usize = 8;

fn draw(length: usize) -> String {
    chance::text(LETTERS, length)
}

/// An endpoint; one that is the station's only secret is long.
pub(super) fn endpoint(is_secret: bool) -> String {
    draw(if is_secret { SECRET_ENDPOINT_LENGTH } else { ENDPOINT_LENGTH })
}

/// A password.
pub(super) fn password() -> String {
    draw(PASSWORD_LENGTH)
}

/// The code of an EVSE: everybody reads it, so it says nothing of how its station connects.
pub(in crate::sites::stations) fn evse_code() -> String {
    draw(EVSE_CODE_LENGTH).to_uppercase()
}

/// What is stored of a password; the station's id is the salt.
pub(super) fn password_hash(station: StationId, password: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(station.raw().as_bytes());
    digest.update(password);
    hex::encode(digest.finalize())
}

/// Whether a password is the one that this was stored of. Some stations decode a password of hexadecimal characters before
/// they send it, so the decoded and the encoded text are tried as well.
pub(super) fn is_password(station: StationId, stored: &str, given: &[u8]) -> bool {
    let encoded = hex::encode(given);
    let decoded = std::str::from_utf8(given).ok().and_then(|text| hex::decode(text.trim()).ok());
    let variants =
        [Some(given.to_vec()), Some(encoded.clone().into_bytes()), Some(encoded.to_uppercase().into_bytes()), decoded];
    variants.into_iter().flatten().any(|variant| {
        let hash = password_hash(station, &variant);
        bool::from(subtle::ConstantTimeEq::ct_eq(hash.as_bytes(), stored.as_bytes()))
    })
}
