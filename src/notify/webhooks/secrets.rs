//! At the start of the server: finds its key, and looks whether every webhook can sign.

use std::sync::Arc;

use super::model::{Webhook, WebhookView};
use super::secret_store::{Opened, SecretStore};
use super::store;
use crate::events::{Change, EventKind};
use crate::http::Context;
use crate::store::{Conn, StoreResult};
use kernel::Moment;

/// The name of the key that is kept in the store where none is configured.
const KEPT_KEY: &str = "webhook_secret_key";

/// Opens the secret store, seals what is not sealed with its key, and notes which webhooks cannot sign.
pub(super) async fn open(context: &Context, configured: &str) -> StoreResult<Arc<SecretStore>> {
    let (configured, moment) = (configured.to_owned(), context.moment());
    crate::store::secrets::log_where_kept("webhooks.secret_key", configured.is_empty(), context.db.url());
    context
        .db
        .write(move |conn| {
            let secret_store = Arc::new(secret_store(conn, &configured, &moment)?);
            for webhook in store::all(conn)? {
                look_at(conn, &secret_store, webhook, &moment)?;
            }
            Ok(secret_store)
        })
        .await
}

fn secret_store(conn: &mut Conn, configured: &str, moment: &Moment) -> StoreResult<SecretStore> {
    if configured.is_empty() {
        let kept = crate::store::secrets::keep(conn, KEPT_KEY, moment.now)?;
        return SecretStore::new(&kept, None);
    }
    let kept = crate::store::secrets::find(conn, KEPT_KEY)?;
    SecretStore::new(configured, kept.as_deref())
}

fn look_at(conn: &mut Conn, secret_store: &SecretStore, mut webhook: Webhook, moment: &Moment) -> StoreResult<()> {
    let was_lost = webhook.secret_lost;
    let mut sealed_again = false;
    for secret in [Some(&mut webhook.secret), webhook.previous_secret.as_mut()].into_iter().flatten() {
        if let Opened::Former(text) = secret_store.open(webhook.id, secret) {
            *secret = secret_store.seal(webhook.id, &text)?;
            sealed_again = true;
        }
    }
    webhook.secret_lost = secret_store.open(webhook.id, &webhook.secret) == Opened::Lost;
    if webhook.secret_lost {
        tracing::error!(
            webhook = %webhook.id,
            "the secret of a webhook was sealed with another webhooks.secret_key: nothing is sent to it until its secret is rotated, or the key is back"
        );
    }
    if webhook.secret_lost != was_lost {
        webhook.updated_at = moment.version_after(webhook.updated_at);
        Change::new(conn, webhook.organization_id, moment)
            .record(EventKind::WebhookUpdated, &WebhookView::from(webhook.clone()))?;
    } else if !sealed_again {
        return Ok(());
    }
    store::update(conn, &webhook)
}
