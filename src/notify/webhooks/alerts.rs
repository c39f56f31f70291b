//! E-mails to the operator of an endpoint that receives nothing.

use super::model::Webhook;
use crate::home::portal::{Notice, Notices};
use crate::store::{Conn, StoreResult};
use kernel::{Moment, Timestamp};

/// What an e-mail is about.
pub(super) enum Alert {
    /// Nothing was received since then.
    Failing(Timestamp),
    /// The webhook was turned off.
    TurnedOff,
}

/// The way to the mail server; without one the log and the event `webhook.disabled` must do.
#[derive(Clone)]
pub(super) struct Alerts(pub Option<Notices>);

impl Alerts {
    /// Queues an e-mail to the webhook's `alert_email`, where it has one.
    pub(super) fn queue(
        &self,
        conn: &mut Conn,
        webhook: &Webhook,
        alert: &Alert,
        error: &str,
        moment: &Moment,
    ) -> StoreResult<()> {
        let Some((notices, to)) = self.0.as_ref().zip(webhook.alert_email.as_ref()) else {
            return Ok(());
        };
        let (subject, what) = match alert {
            Alert::Failing(since) => (
                "A webhook receives nothing",
                format!(
                    "has received no event since {since}. Events are kept and sent again, for three days each; then it is turned off."
                ),
            ),
            Alert::TurnedOff => (
                "A webhook was turned off",
                "received no event for three days and was turned off. Turn it on again when its endpoint works: what waits, and what happened since, is sent then."
                    .to_owned(),
            ),
        };
        let (id, url) = (webhook.id, &webhook.url);
        let notice = Notice {
            to: to.clone(),
            subject: subject.to_owned(),
            body: format!("The webhook {id} to {url} {what}\n\nAt the last try: {error}."),
        };
        notices.queue(conn, webhook.organization_id, notice, moment)
    }

    /// Says that there may be an e-mail.
    pub(super) fn notify(&self) {
        if let Some(notices) = &self.0 {
            notices.notify();
        }
    }
}
