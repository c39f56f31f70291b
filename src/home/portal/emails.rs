//! E-mails to home users: queued in the transaction of the change that they report, written when they are sent.
//!
//! A queued e-mail says to whom and what about. The link in it is made for each attempt to send it, and only its hash is
//! kept, so nothing that opens an account lies in the queue.

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;

use super::model::HomeUser;
use super::notices::{About, DriverLetters, Letter, OperatorLetters};
use super::store::{self, Purpose};
use crate::load::groups;
use crate::people::organizations::{self, Organization};
use crate::people::users::User;
use crate::sites::locations;
use crate::sites::stations;
use crate::store::error::optional;
use crate::store::schema::letters;
use crate::store::{Conn, StoreResult};
use kernel::*;

crate::spelled! {
    /// What an e-mail is about.
    pub enum EmailKind {
        /// An operator invites to the portal.
        Invitation = "invitation",
        /// A group was given to a home user.
        Group = "group",
        /// Somebody forgot the password.
        PasswordReset = "password_reset",
        /// Something that others wrote.
        Notice = "notice",
        /// An operator is invited to the panel.
        OperatorInvitation = "operator_invitation",
        /// An operator forgot the password.
        OperatorPasswordReset = "operator_password_reset",
        /// A driver wants to log in.
        DriverLogin = "driver_login",
    }
}
crate::text_column!(spelled EmailKind);

/// The first repetition comes after this long, each further one after twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// An e-mail that could not be sent for so long is given up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(3 * 24 * 3_600);
/// E-mails of one kind that somebody asked for, to one address in an hour.
const MOST_ASKED_FOR: i64 = 3;
/// Nobody waits longer for the e-mail to log in by.
const AWAITED_FOR: Duration = Duration::from_secs(3_600);

/// A queued e-mail.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = letters)]
pub(super) struct Email {
    pub id: EmailId,
    pub kind: EmailKind,
    pub email: String,
    pub organization_id: Option<OrganizationId>,
    pub user_id: Option<UserId>,
    pub group_id: Option<GroupId>,
    pub account_id: Option<AccountId>,
    pub attempts: i64,
    pub next_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// What a notice says; the others are written when they are sent.
    pub subject: Option<String>,
    pub body: Option<String>,
}

/// An e-mail as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// The operator's name: whose e-mail it is.
    pub from: String,
    pub to: String,
    pub subject: String,
    pub body: String,
}

/// How links in e-mails look, and how long they are good.
#[derive(Clone)]
pub(super) struct Links {
    /// Where the portal's pages are, without a slash at the end.
    pub url: String,
    pub invitation: Duration,
    pub reset: Duration,
    /// What writes to operators.
    pub operators: Arc<dyn OperatorLetters>,
    /// What writes to drivers.
    pub drivers: Arc<dyn DriverLetters>,
}

impl Links {
    pub(super) fn invitation(&self, organization: OrganizationId, secret: &str) -> String {
        format!("{}/invitations/{secret}?organization={organization}", self.url)
    }

    fn reset(&self, organization: OrganizationId, secret: &str) -> String {
        format!("{}/password_reset/{secret}?organization={organization}", self.url)
    }
}

impl Email {
    pub(super) fn new(kind: EmailKind, email: &str, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            kind,
            email: email.to_owned(),
            organization_id: None,
            user_id: None,
            group_id: None,
            account_id: None,
            attempts: 0,
            next_at: moment.now,
            sent_at: None,
            created_at: moment.now,
            subject: None,
            body: None,
        }
    }

    pub(super) fn queue(&self, conn: &mut Conn) -> StoreResult<()> {
        diesel::insert_into(letters::table).values(self).execute(conn)?;
        Ok(())
    }

    /// The e-mail with a fresh link, or `None` when there is nobody (any more) to write to.
    pub(super) fn write(&self, conn: &mut Conn, now: Timestamp, links: &Links) -> StoreResult<Option<Written>> {
        match self.kind {
            EmailKind::Notice => return self.notice(conn),
            EmailKind::OperatorInvitation | EmailKind::OperatorPasswordReset => {
                return self.to_operator(conn, now, links);
            }
            EmailKind::DriverLogin => return self.to_driver(conn, now, links),
            _ => {}
        }
        let Some(to) = self.addressee(conn)? else {
            return Ok(None);
        };
        let text = match self.kind {
            EmailKind::Invitation => Some(self.invitation(conn, &to, now, links)?),
            EmailKind::Group => self.group(conn, &to, links)?,
            EmailKind::PasswordReset => Some(self.password_reset(conn, &to, now, links)?),
            EmailKind::Notice
            | EmailKind::OperatorInvitation
            | EmailKind::OperatorPasswordReset
            | EmailKind::DriverLogin => None,
        };
        let contact = to.organization.support_contact.as_ref();
        let below = contact.map(|contact| contact.0.lines().join("\n")).unwrap_or_default();
        Ok(text.map(|text| self.written(text, &to.organization.name, &below)))
    }

    /// `below` is what follows the name of whom it is from: whom to ask for help.
    fn written(&self, (subject, body): Text, from: &str, below: &str) -> Written {
        let mut body = format!("Hello,\n\n{body}\n\n{from}\n");
        if !below.is_empty() {
            body.push_str(below);
            body.push('\n');
        }
        Written { from: from.to_owned(), to: self.email.clone(), subject, body }
    }

    fn to_operator(&self, conn: &mut Conn, now: Timestamp, links: &Links) -> StoreResult<Option<Written>> {
        let about = match self.organization_id.zip(self.account_id) {
            Some((organization, account)) => About::Invitation(organization, account),
            None => About::PasswordReset(&self.email),
        };
        let written = links.operators.write(conn, about, now)?;
        Ok(written.map(|Letter { from, subject, body }| self.written((subject, body), &from, "")))
    }

    fn to_driver(&self, conn: &mut Conn, now: Timestamp, links: &Links) -> StoreResult<Option<Written>> {
        if now.since(self.created_at) >= AWAITED_FOR {
            return Ok(None);
        }
        let written = links.drivers.write(conn, &self.email, now)?;
        Ok(written.map(|Letter { from, subject, body }| self.written((subject, body), &from, "")))
    }

    fn notice(&self, conn: &mut Conn) -> StoreResult<Option<Written>> {
        let text = self.subject.clone().zip(self.body.clone());
        let Some((text, organization)) = text.zip(self.organization_id) else {
            return Ok(None);
        };
        let from = organizations::find_organization(conn, organization)?.name;
        Ok(Some(self.written(text, &from, "")))
    }

    /// Whom it is to. A forgotten password is looked up only now, so that asking for another takes as long for an address
    /// that nobody knows.
    fn addressee(&self, conn: &mut Conn) -> StoreResult<Option<Addressee>> {
        let found = if self.kind == EmailKind::PasswordReset {
            store::find_by_email(conn, &self.email, self.organization_id)?
        } else if let Some((organization, user)) = self.organization_id.zip(self.user_id) {
            let found = optional(store::find(conn, organization, user))?;
            let same = |user: &User| user.active && user.email.as_ref() == Some(&self.email);
            found.filter(|(_, user)| same(user)).map(|(home, _)| home)
        } else {
            None
        };
        let Some(home) = found else {
            return Ok(None);
        };
        let organization = organizations::find_organization(conn, home.organization_id)?;
        Ok(Some(Addressee { organization, user: home.id, zone: zone_of(conn, &home)? }))
    }

    fn invitation(&self, conn: &mut Conn, to: &Addressee, now: Timestamp, links: &Links) -> StoreResult<Text> {
        let (whom, until) = ((to.user, self.email.as_str()), now + links.invitation);
        let secret = store::make_link(conn, whom, Purpose::Invitation, until)?;
        let body = format!(
            "{} invites you to the portal of your home charger. Choose a password here:\n\n{}\n\n\
             The link works once, until {}.",
            to.organization.name,
            links.invitation(to.organization.id, &secret),
            to.local(until)
        );
        Ok((format!("{} invites you", to.organization.name), body))
    }

    /// `None` when the group was taken away again.
    fn group(&self, conn: &mut Conn, to: &Addressee, links: &Links) -> StoreResult<Option<Text>> {
        let Some(group) = self.group_id else {
            return Ok(None);
        };
        let group = optional(groups::find_group(conn, to.organization.id, group))?;
        let Some(group) = group.filter(|group| group.user_id == Some(to.user)) else {
            return Ok(None);
        };
        let state = match is_connected(conn, to.organization.id, group.id)? {
            true => "It is connected.",
            false => "It is not connected yet; your account shows when it is.",
        };
        let body = format!(
            "{} added your home charger \"{}\" to your account. {state} You can say when it should not charge, and start a \
             priority charge:\n\n{}/?organization={}",
            to.organization.name, group.name, links.url, to.organization.id
        );
        Ok(Some(("Your home charger is in your account".to_owned(), body)))
    }

    fn password_reset(&self, conn: &mut Conn, to: &Addressee, now: Timestamp, links: &Links) -> StoreResult<Text> {
        let (whom, until) = ((to.user, self.email.as_str()), now + links.reset);
        let secret = store::make_link(conn, whom, Purpose::PasswordReset, until)?;
        let body = format!(
            "Somebody, we hope you, asked for another password of your home charger's portal. Choose it here:\n\n{}\n\n\
             The link works once, until {}. If it was not you, nothing needs to be done.",
            links.reset(to.organization.id, &secret),
            to.local(until)
        );
        Ok(("Choose another password".to_owned(), body))
    }
}

/// Whether a station of the group is connected now.
fn is_connected(conn: &mut Conn, organization: OrganizationId, group: GroupId) -> StoreResult<bool> {
    for member in groups::stations_of(conn, &[group])? {
        if stations::find_station(conn, organization, member.chargestation_id)?.online {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whom an e-mail is to, and who sends it.
struct Addressee {
    organization: Organization,
    user: UserId,
    /// Of the own chargers, else of the operator's.
    zone: TimeZone,
}

impl Addressee {
    /// A time by the clock on the wall.
    fn local(&self, at: Timestamp) -> String {
        let local = at.to_chrono().with_timezone(&self.zone.0);
        format!("{} ({})", local.format("%-d %B %Y, %H:%M"), self.zone)
    }
}

/// The time zone of the user's first group, else that of the operator's locations where all have the same, else UTC.
fn zone_of(conn: &mut Conn, home: &HomeUser) -> StoreResult<TimeZone> {
    let organization = home.organization_id;
    let own = groups::groups_of_user(conn, organization, home.id)?.into_iter().next();
    if let Some(group) = own {
        return Ok(locations::find(conn, organization, group.location_id)?.time_zone());
    }
    locations::common_time_zone(conn, organization)
}

/// A subject and what is written below it.
type Text = (String, String);

/// Queues an e-mail that somebody without a login asked for: the same steps whether the address is known or not.
pub(super) fn queue_asked_for(
    conn: &mut Conn,
    moment: &Moment,
    (email, organization): (&str, Option<OrganizationId>),
    kind: EmailKind,
) -> StoreResult<()> {
    let lately: i64 = letters::table
        .filter(letters::kind.eq(kind))
        .filter(letters::email.eq(email))
        .filter(letters::created_at.gt(moment.now - Duration::from_secs(3_600)))
        .count()
        .get_result(conn)?;
    if lately >= MOST_ASKED_FOR {
        return Ok(());
    }
    let queued = Email { organization_id: organization, ..Email::new(kind, email, moment) };
    queued.queue(conn)
}

/// The e-mails that are due, oldest first.
pub(super) fn due(conn: &mut Conn, now: Timestamp) -> StoreResult<Vec<Email>> {
    Ok(letters::table
        .filter(letters::sent_at.is_null())
        .filter(letters::next_at.le(now))
        .order(letters::created_at)
        .limit(20)
        .select(Email::as_select())
        .load(conn)?)
}

/// Notes that an e-mail is done with: it was sent, or there is nobody to send it to.
pub(super) fn done(conn: &mut Conn, id: EmailId, now: Timestamp) -> StoreResult<()> {
    diesel::update(letters::table.find(id)).set(letters::sent_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Notes that an e-mail was not sent, and when it is tried again; false when it is given up.
pub(super) fn postpone(conn: &mut Conn, queued: &Email, now: Timestamp) -> StoreResult<bool> {
    if now.since(queued.created_at) >= GIVEN_UP_AFTER {
        diesel::delete(letters::table.find(queued.id)).execute(conn)?;
        return Ok(false);
    }
    let doubled = 2_u32.saturating_pow(u32::try_from(queued.attempts).unwrap_or(0).min(16));
    let pause = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
    diesel::update(letters::table.find(queued.id))
        .set((letters::attempts.eq(queued.attempts + 1), letters::next_at.eq(now + pause)))
        .execute(conn)?;
    Ok(true)
}

/// Deletes e-mails that were done with a day ago.
pub(super) fn tidy(conn: &mut Conn, now: Timestamp) -> StoreResult<()> {
    let old = letters::sent_at.lt(now - Duration::from_secs(24 * 3_600));
    diesel::delete(letters::table.filter(old)).execute(conn)?;
    Ok(())
}
