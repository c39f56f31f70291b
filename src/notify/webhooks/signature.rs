//! The header `edrv-signature: t=<unix ms>,v1=<hex>`: HMAC-SHA256 with the endpoint's secret over `<t>.<body>`.

use clock::chance;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The name of the header.
pub(super) const HEADER: &str = "edrv-signature";

/// What a secret begins with, so that people and scanners know it.
pub(super) const PREFIX: &str = "whsec_";

/// A new secret of 256 bits.
pub(super) fn secret() -> String {
    let bytes: [u8; 32] = chance::bytes();
    format!("{PREFIX}{}", hex::encode(bytes))
}

/// The header's value; one `v1` for each secret that counts at the moment.
pub(super) fn header(secrets: &[String], at_ms: i64, body: &str) -> String {
    let mut value = format!("t={at_ms}");
    for secret in secrets {
        // A key of any length is good for HMAC, so this is never skipped.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
            mac.update(format!("{at_ms}.{body}").as_bytes());
            value.push_str(",v1=");
            value.push_str(&hex::encode(mac.finalize().into_bytes()));
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_python_says_it_is() {
        // hmac.new(b"secret", b'1700000000000.{"a":1}', "sha256").hexdigest()
        let expected = "4ef2732b0d632a6897af3a6d02a6de287f60d6c5f15dabdb0ceb045a34e3c5a7";
        assert_eq!(
            header(&["secret".to_owned()], 1_700_000_000_000, r#"{"a":1}"#),
            format!("t=1700000000000,v1={expected}")
        );
    }
}
