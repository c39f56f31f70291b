//! Notices: e-mails to operators that other slices write, by the same queue and the same mail server.

use std::sync::Arc;

use super::emails::{Email, EmailKind};
use super::mailer::Mailer;
use crate::store::{Conn, StoreResult};
use kernel::{Moment, OrganizationId};

/// An e-mail that is ready.
#[derive(Debug, Clone)]
pub struct Notice {
    /// To this address.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text, between a greeting and who it is from.
    pub body: String,
}

/// The way to the mail server.
#[derive(Clone)]
pub struct Notices(pub(super) Arc<Mailer>);

impl Notices {
    /// Queues an e-mail in the transaction of what it reports.
    pub fn queue(
        &self,
        conn: &mut Conn,
        organization: OrganizationId,
        Notice { to, subject, body }: Notice,
        moment: &Moment,
    ) -> StoreResult<()> {
        let email = Email {
            organization_id: Some(organization),
            subject: Some(subject),
            body: Some(body),
            ..Email::new(EmailKind::Notice, &to, moment)
        };
        email.queue(conn)
    }

    /// Says that there may be an e-mail.
    pub fn notify(&self) {
        self.0.notify();
    }
}
