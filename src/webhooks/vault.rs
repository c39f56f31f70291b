//! Keeps the secrets of webhooks: sealed with AES-256-GCM under a key that is derived from the server's, and bound to their
//! webhook. A copy of the store does not tell them, and no row can borrow another's.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::signature;
use crate::db::{StoreError, StoreResult};
use crate::kernel::WebhookId;

/// Tells keys for this purpose from others that are derived from the same secret.
const PURPOSE: &[u8] = b"evenwatt: secrets of webhooks";

/// Seals secrets and opens them.
pub(super) struct Vault {
    /// What seals, and opens first.
    key: RandomizedNonceKey,
    /// What sealed before.
    former: Option<RandomizedNonceKey>,
}

/// A secret that was just made.
pub(super) struct Fresh {
    /// What its owner gets.
    pub shown: String,
    /// What is stored.
    pub sealed: String,
}

/// What is stored, opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// As it should be.
    Sealed(String),
    /// It should be sealed again: it was not at all, or with the key before.
    Former(String),
    /// It was sealed with a key that is not known.
    Lost,
}

impl Vault {
    /// A vault with a key from this secret; `former` is what the key before was from.
    pub fn new(secret: &str, former: Option<&str>) -> StoreResult<Self> {
        Ok(Self {
            key: derive(secret).map_err(failed)?,
            former: former.map(derive).transpose().map_err(failed)?,
        })
    }

    /// Makes a secret for a webhook.
    pub fn fresh(&self, webhook: WebhookId) -> StoreResult<Fresh> {
        let shown = signature::secret();
        let sealed = self.seal(webhook, &shown)?;
        Ok(Fresh { shown, sealed })
    }

    /// The form of a secret that is stored.
    pub fn seal(&self, webhook: WebhookId, secret: &str) -> StoreResult<String> {
        let mut bytes = secret.as_bytes().to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(bound_to(webhook), &mut bytes)
            .map_err(failed)?;
        Ok(STANDARD.encode([nonce.as_ref().as_slice(), &bytes].concat()))
    }

    /// The secret in what is stored.
    pub fn open(&self, webhook: WebhookId, stored: &str) -> Opened {
        if stored.starts_with(signature::PREFIX) {
            return Opened::Former(stored.to_owned());
        }
        if let Some(secret) = open_with(&self.key, webhook, stored) {
            return Opened::Sealed(secret);
        }
        let former = self.former.as_ref();
        former
            .and_then(|key| open_with(key, webhook, stored))
            .map_or(Opened::Lost, Opened::Former)
    }
}

fn derive(secret: &str) -> Result<RandomizedNonceKey, Unspecified> {
    let mut key = [0; 32];
    Salt::new(HKDF_SHA256, &[])
        .extract(secret.as_bytes())
        .expand(&[PURPOSE], Bytes(key.len()))?
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

fn bound_to(webhook: WebhookId) -> Aad<[u8; 12]> {
    Aad::from(*webhook.raw().as_bytes())
}

fn open_with(key: &RandomizedNonceKey, webhook: WebhookId, stored: &str) -> Option<String> {
    let bytes = STANDARD.decode(stored).ok()?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut sealed = sealed.to_vec();
    let opened = key
        .open_in_place(nonce, bound_to(webhook), &mut sealed)
        .ok()?;
    String::from_utf8(opened.to_vec()).ok()
}

fn failed(_: Unspecified) -> StoreError {
    StoreError::Failed("a secret could not be sealed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::RawId;

    fn webhook(byte: u8) -> WebhookId {
        RawId::from_bytes([byte; 12]).into()
    }

    fn vault(secret: &str, former: Option<&str>) -> Vault {
        Vault::new(secret, former).expect("a vault")
    }

    #[test]
    fn a_secret_is_opened_with_the_key_that_sealed_it_and_for_its_webhook_only() {
        let ours = vault("one", None);
        let Fresh { shown, sealed } = ours.fresh(webhook(1)).expect("sealed");
        assert!(
            !sealed.contains(&shown) && sealed != ours.seal(webhook(1), &shown).expect("sealed")
        );
        assert_eq!(
            ours.open(webhook(1), &sealed),
            Opened::Sealed(shown.clone())
        );
        assert_eq!(ours.open(webhook(2), &sealed), Opened::Lost);
        assert_eq!(vault("two", None).open(webhook(1), &sealed), Opened::Lost);
        let moved = vault("two", Some("one"));
        assert_eq!(moved.open(webhook(1), &sealed), Opened::Former(shown));
        for nonsense in ["", "AAAA", "no base64", &sealed[4..]] {
            assert_eq!(ours.open(webhook(1), nonsense), Opened::Lost);
        }
    }

    #[test]
    fn a_secret_from_before_sealing_is_known() {
        let plain = "whsec_0123";
        assert_eq!(
            vault("one", None).open(webhook(1), plain),
            Opened::Former(plain.to_owned())
        );
    }
}
