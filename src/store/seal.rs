//! Seals texts that must not be read by whoever gets hold of the store: AES-256-GCM under a key that is derived from a secret.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Seals texts and opens them.
pub struct Seal(RandomizedNonceKey);

/// A text could not be sealed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a text could not be sealed")]
pub struct NotSealed;

impl Seal {
    /// A seal with a key from a secret of much chance; `purpose` separates it from other keys of the same secret.
    pub fn new(secret: &str, purpose: &str) -> Result<Self, NotSealed> {
        derive(secret, purpose).map(Self).map_err(|_| NotSealed)
    }

    /// The form of a text that is stored; it can be opened beside the same `bound_to` only.
    pub fn close(&self, bound_to: &[u8], text: &str) -> Result<String, NotSealed> {
        self.close_bytes(bound_to, text.as_bytes())
    }

    /// The same of any bytes.
    pub fn close_bytes(&self, bound_to: &[u8], content: &[u8]) -> Result<String, NotSealed> {
        let mut bytes = content.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(bound_to), &mut bytes).map_err(|_| NotSealed)?;
        Ok(STANDARD.encode([nonce.as_ref().as_slice(), &bytes].concat()))
    }

    /// The text in what is stored; none where another key sealed it, it belongs elsewhere or was changed.
    pub fn open(&self, bound_to: &[u8], stored: &str) -> Option<String> {
        String::from_utf8(self.open_bytes(bound_to, stored)?).ok()
    }

    /// The bytes in what is stored, likewise.
    pub fn open_bytes(&self, bound_to: &[u8], stored: &str) -> Option<Vec<u8>> {
        let bytes = STANDARD.decode(stored).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let opened = self.0.open_in_place(nonce, Aad::from(bound_to), &mut sealed).ok()?;
        Some(opened.to_vec())
    }
}

fn derive(secret: &str, purpose: &str) -> Result<RandomizedNonceKey, Unspecified> {
    let mut key = [0; 32];
    Salt::new(HKDF_SHA256, &[])
        .extract(secret.as_bytes())
        .expand(&[purpose.as_bytes()], Bytes(key.len()))?
        .fill(&mut key)?;
    RandomizedNonceKey::new(&AES_256_GCM, &key)
}

/// A length, as the derivation wants it.
struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(secret: &str, purpose: &str) -> Seal {
        Seal::new(secret, purpose).expect("a seal")
    }

    #[test]
    fn a_text_is_opened_with_its_key_and_in_its_place_only() {
        let ours = seal("one", "tests");
        let sealed = ours.close(b"here", "a text").expect("sealed");
        assert_ne!(sealed, ours.close(b"here", "a text").expect("sealed"));
        assert_eq!(ours.open(b"here", &sealed).as_deref(), Some("a text"));
        assert_eq!(ours.open(b"there", &sealed), None);
        for other in [seal("two", "tests"), seal("one", "other tests")] {
            assert_eq!(other.open(b"here", &sealed), None);
        }
        for nonsense in ["", "AAAA", "no base64", &sealed[4..]] {
            assert_eq!(ours.open(b"here", nonsense), None);
        }
    }
}
