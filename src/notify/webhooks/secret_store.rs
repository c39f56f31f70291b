//! Keeps the secrets of webhooks: sealed under a key that is derived from the server's, and bound to their
//! webhook. A copy of the store does not reveal them, and no row can borrow another's.

use super::signature;
use crate::store::seal::{NotSealed, Seal};
use crate::store::{StoreError, StoreResult};
use kernel::WebhookId;

/// Separates keys for this purpose from others that are derived from the same secret.
const PURPOSE: &str = "evenwatt: secrets of webhooks";

/// Seals secrets and opens them.
pub(super) struct SecretStore {
    /// What seals, and opens first.
    key: Seal,
    /// What sealed before.
    former: Option<Seal>,
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

impl SecretStore {
    /// A secret store with a key from this secret; `former` is what the key before was from.
    pub(super) fn new(secret: &str, former: Option<&str>) -> StoreResult<Self> {
        Ok(Self { key: derive(secret).map_err(failed)?, former: former.map(derive).transpose().map_err(failed)? })
    }

    /// Makes a secret for a webhook.
    pub(super) fn fresh(&self, webhook: WebhookId) -> StoreResult<Fresh> {
        let shown = signature::secret();
        let sealed = self.seal(webhook, &shown)?;
        Ok(Fresh { shown, sealed })
    }

    /// The form of a secret that is stored.
    pub(super) fn seal(&self, webhook: WebhookId, secret: &str) -> StoreResult<String> {
        let sealed = self.key.close(webhook.raw().as_bytes(), secret);
        sealed.map_err(failed)
    }

    /// The secret in what is stored.
    pub(super) fn open(&self, webhook: WebhookId, stored: &str) -> Opened {
        if stored.starts_with(signature::PREFIX) {
            return Opened::Former(stored.to_owned());
        }
        let raw = webhook.raw();
        if let Some(secret) = self.key.open(raw.as_bytes(), stored) {
            return Opened::Sealed(secret);
        }
        let former = self.former.as_ref();
        former.and_then(|key| key.open(raw.as_bytes(), stored)).map_or(Opened::Lost, Opened::Former)
    }
}

fn derive(secret: &str) -> Result<Seal, NotSealed> {
    Seal::new(secret, PURPOSE)
}

fn failed(error: NotSealed) -> StoreError {
    StoreError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::RawId;

    fn webhook(byte: u8) -> WebhookId {
        RawId::from_bytes([byte; 12]).into()
    }

    fn secret_store(secret: &str, former: Option<&str>) -> SecretStore {
        SecretStore::new(secret, former).expect("a secret store")
    }

    #[test]
    fn a_secret_is_opened_with_the_key_that_sealed_it_and_for_its_webhook_only() {
        let ours = secret_store("one", None);
        let Fresh { shown, sealed } = ours.fresh(webhook(1)).expect("sealed");
        assert!(!sealed.contains(&shown) && sealed != ours.seal(webhook(1), &shown).expect("sealed"));
        assert_eq!(ours.open(webhook(1), &sealed), Opened::Sealed(shown.clone()));
        assert_eq!(ours.open(webhook(2), &sealed), Opened::Lost);
        assert_eq!(secret_store("two", None).open(webhook(1), &sealed), Opened::Lost);
        let moved = secret_store("two", Some("one"));
        assert_eq!(moved.open(webhook(1), &sealed), Opened::Former(shown));
        for nonsense in ["", "AAAA", "no base64", &sealed[4..]] {
            assert_eq!(ours.open(webhook(1), nonsense), Opened::Lost);
        }
    }

    #[test]
    fn a_secret_from_before_sealing_is_known() {
        let plain = "whsec_0123";
        assert_eq!(secret_store("one", None).open(webhook(1), plain), Opened::Former(plain.to_owned()));
    }
}
