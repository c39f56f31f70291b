//! What a webhook is, and what may be said about one.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::prelude::*;
use resource::resource;
use serde_json::Value;

use super::guard::Guard;
use super::secret_store::{Fresh, Opened, SecretStore};
use crate::events::EventTypes;
use crate::filters;
use crate::http::fields::{Field, Path, wrong};
use crate::http::{ApiResult, Faults, Principal};
use crate::json_schema;
use crate::people::users::Email;
use crate::store::schema::webhooks;
use crate::store::{Json, StoreResult};
use kernel::text::{Note, Text};
use kernel::*;

/// How long the secret before still signs after a rotation.
pub(super) const OVERLAP: Duration = Duration::from_secs(24 * 3_600);

/// The address of an endpoint.
pub(super) type Target = Text<1, 2000>;

/// Which events an endpoint wants, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedEvents(pub String);

json_schema!(WantedEvents, {
    "type": "string", "minLength": 1, "maxLength": 2000, "example": "session.*,chargestation.online",
    "description": "Names of docs/EVENTS.md with commas between; * stands for anything."
});

impl From<WantedEvents> for String {
    fn from(events: WantedEvents) -> Self {
        events.0
    }
}

impl Field for WantedEvents {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let text = value.as_str().filter(|text| text.len() <= 2_000);
        let known = text.filter(|text| text.parse::<EventTypes>().is_ok());
        known.map(|text| Self(text.to_owned())).or_else(|| {
            let must = "names of docs/EVENTS.md with commas between, such as session.*,chargestation.online";
            wrong(at, faults, must)
        })
    }
}

#[resource(
    new(
        "A new webhook.",
        function = begin,
        example = json!({"url": "https://example.com/events", "events": "session.*"})
    ),
    patch("Changes of a webhook (JSON merge patch).", function = merge, example = json!({"active": true})),
    view("A webhook as clients see it.")
)]
/// A stored webhook.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true)]
pub(super) struct Webhook {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: WebhookId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Where events are sent by POST.
    #[field(
        read = Target,
        new("Where events are sent by POST; https, and not in a private network.", example = "https://example.com/events")
    )]
    pub url: String,
    /// Which events.
    #[field(
        read = WantedEvents,
        default = "*".to_owned(),
        new("Which events; all when absent."),
        view(example = "session.*")
    )]
    pub events: String,
    /// What it is for.
    #[field(read = Note)]
    pub description: Option<String>,
    /// Who is written to when it receives nothing.
    #[field(
        read = Email,
        new("Who is written to when nothing was received for an hour, and when the server turns it off; needs a mail server."),
        view(after = disabled_reason)
    )]
    pub alert_email: Option<String>,
    /// Whether events are sent.
    #[field(
        read,
        default = true,
        new("Whether events are sent; true when absent."),
        patch(
            "Whether events are sent. One that was off goes on where it stopped, as far as the log still goes back."
        )
    )]
    pub active: bool,
    /// Why the server turned it off.
    #[field(initial = None)]
    pub disabled_reason: Option<String>,
    /// Since when it received nothing, although it was tried.
    #[field(initial = None)]
    pub failing_since: Option<Timestamp>,
    /// When somebody was notified of that.
    #[field(hidden, initial = None)]
    pub alerted_at: Option<Timestamp>,
    /// The server's key is not the one that sealed the secret (`webhooks.secret_key`): nothing is sent until the secret is
    /// rotated, or the key is back.
    #[field(initial = false)]
    pub secret_lost: bool,
    /// Sealed, as the one before.
    #[field(hidden, initial = String::new())]
    pub secret: String,
    #[field(hidden, initial = None)]
    pub previous_secret: Option<String>,
    /// The secret that signs; shown when it was made, and never again.
    #[field(name = "secret", computed = |_| None, view(serde(skip_serializing_if = "Option::is_none")))]
    pub shown_secret: Option<String>,
    /// Until when the secret before signs too.
    #[field(name = "previous_secret_until", initial = None)]
    pub previous_until: Option<Timestamp>,
    /// The place in the log up to which events were taken over into deliveries.
    #[field(hidden, argument)]
    pub cursor: i64,
    /// The scopes of the key that made or last changed it; everything where it is older than them.
    #[field(hidden, initial = None)]
    pub scopes: Option<Json<BTreeSet<String>>>,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

fn checked(url: &str, guard: Guard, faults: &mut Faults) {
    if let Err(refused) = guard.check(url) {
        faults.add("url", "invalid", refused.to_string());
    }
}

impl Webhook {
    /// A new webhook, and its secret.
    pub(super) fn new(
        new: NewWebhook,
        (caller, cursor): (&Principal, i64),
        (guard, secret_store): (Guard, &SecretStore),
        moment: &Moment,
    ) -> ApiResult<(Self, String)> {
        let mut webhook = Self::begin(new, caller.organization, cursor, moment);
        webhook.scopes = Some(Json((*caller.scopes).clone()));
        let Fresh { shown, sealed } = secret_store.fresh(webhook.id)?;
        webhook.secret = sealed;
        let mut faults = Faults::default();
        checked(&webhook.url, guard, &mut faults);
        faults.into_body_error()?;
        Ok((webhook, shown))
    }

    /// Applies a patch.
    pub(super) fn apply(
        mut self,
        patch: WebhookPatch,
        (caller, guard): (&Principal, Guard),
        moment: &Moment,
    ) -> ApiResult<Self> {
        let was_active = self.active;
        self.scopes = Some(Json((*caller.scopes).clone()));
        let mut faults = self.merge(patch, moment).err().unwrap_or_default();
        if self.active && !was_active {
            self.disabled_reason = None;
            (self.failing_since, self.alerted_at) = (None, None);
        }
        checked(&self.url, guard, &mut faults);
        faults.into_body_error()?;
        Ok(self)
    }

    /// Of these events, or of those that it wants, the ones that its maker could read.
    pub(super) fn may_send(&self, asked: Option<&WantedEvents>) -> EventTypes {
        let text = asked.map_or(&self.events, |asked| &asked.0);
        let wanted = text.parse().unwrap_or_default();
        EventTypes::seen_with(Some(wanted), |scope| self.may(scope)).unwrap_or_default()
    }

    /// Whether its maker had this scope.
    pub(super) fn may(&self, scope: &str) -> bool {
        let scopes = self.scopes.as_ref();
        scopes.is_none_or(|Json(scopes)| scopes.contains("*") || scopes.contains(scope))
    }

    /// Makes another secret and answers it; the one before signs too for a day, unless it is lost.
    pub(super) fn rotate(&mut self, secret_store: &SecretStore, moment: &Moment) -> StoreResult<String> {
        let Fresh { shown, sealed } = secret_store.fresh(self.id)?;
        let before = std::mem::replace(&mut self.secret, sealed);
        self.previous_secret = (!self.secret_lost).then_some(before);
        self.previous_until = (!self.secret_lost).then_some(moment.now + OVERLAP);
        self.secret_lost = false;
        self.updated_at = moment.version_after(self.updated_at);
        Ok(shown)
    }

    /// The secrets that sign at this instant, the newest first; none when that one cannot be opened.
    pub(super) fn secrets(&self, secret_store: &SecretStore, now: Timestamp) -> Option<Vec<String>> {
        let open = |stored| match secret_store.open(self.id, stored) {
            Opened::Sealed(secret) | Opened::Former(secret) => Some(secret),
            Opened::Lost => None,
        };
        let newest = open(&self.secret)?;
        let overlaps = self.previous_until.is_some_and(|until| now < until);
        let previous = self.previous_secret.as_deref().filter(|_| overlaps);
        Some(std::iter::once(newest).chain(previous.and_then(open)).collect())
    }
}

impl WebhookView {
    /// With the secret, for the answer to whoever had it made.
    pub(super) fn with_secret(self, secret: String) -> Self {
        Self { secret: Some(secret), ..self }
    }
}

filters! {
    /// Filters of webhooks.
    pub(crate) struct WebhookFilter {
        /// Only those that are on or off.
        pub active: bool,
    }
}
