//! Notices: e-mails to operators and drivers that other slices write, by the same queue and the same mail server.

use std::sync::Arc;

use super::emails::{self, Email, EmailKind};
use super::mailer::Mailer;
use crate::store::{Conn, StoreResult};
use kernel::{AccountId, Moment, OrganizationId, Timestamp};

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

/// An e-mail that another slice writes when it is sent.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Who it is from.
    pub from: String,
    /// Its subject.
    pub subject: String,
    /// Its text, between a greeting and who it is from.
    pub body: String,
}

/// What an e-mail to an operator is about.
#[derive(Debug, Clone, Copy)]
pub enum About<'a> {
    /// This organization invites the owner of this account.
    Invitation(OrganizationId, AccountId),
    /// Whoever has this address forgot the password.
    PasswordReset(&'a str),
}

/// Writes e-mails to operators. A trait because operators are a slice above.
pub trait OperatorLetters: Send + Sync {
    /// What a queued e-mail says, with a fresh link; `None` when there is nobody (any more) to write to.
    fn write(&self, conn: &mut Conn, about: About<'_>, now: Timestamp) -> StoreResult<Option<Letter>>;
}

/// Writes e-mails to drivers. A trait because they are a slice above.
pub trait DriverLetters: Send + Sync {
    /// The e-mail with a fresh link to log in by; `None` when no driver has this address.
    fn write(&self, conn: &mut Conn, email: &str, now: Timestamp) -> StoreResult<Option<Letter>>;
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

    /// Queues the invitation of an operator.
    pub fn queue_invitation(
        conn: &mut Conn,
        (organization, account): (OrganizationId, AccountId),
        email: &str,
        moment: &Moment,
    ) -> StoreResult<()> {
        let email = Email {
            organization_id: Some(organization),
            account_id: Some(account),
            ..Email::new(EmailKind::OperatorInvitation, email, moment)
        };
        email.queue(conn)
    }

    /// Queues an e-mail to an operator who forgot the password: the same steps whether the address is known or not.
    pub fn queue_password_reset(conn: &mut Conn, email: &str, moment: &Moment) -> StoreResult<()> {
        emails::queue_asked_for(conn, moment, (email, None), EmailKind::OperatorPasswordReset)
    }

    /// Queues an e-mail to a driver who wants to log in: the same steps whether the address is known or not.
    pub fn queue_driver_login(conn: &mut Conn, email: &str, moment: &Moment) -> StoreResult<()> {
        emails::queue_asked_for(conn, moment, (email, None), EmailKind::DriverLogin)
    }

    /// Says that there may be an e-mail.
    pub fn notify(&self) {
        self.0.notify();
    }
}
