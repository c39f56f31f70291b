//! Carries commands out and writes down how they went.

use serde_json::{Value, json};

use super::model::{Action, ActionStatus, ActionView};
use super::pushed::Pushed;
use super::store;
use crate::events::{ActionKind, Change, EventKind, Step};
use crate::http::{ApiError, ApiResult, Code, Context};
use crate::sites::stations;
use crate::sites::stations::link::{LinkError, Outcome, SharedLink, StationCommand};
use crate::store::{Db, Json, StoreResult, cause};
use kernel::credentials::hide_credentials;
use kernel::*;

/// What is asked of whom.
#[derive(Debug, Clone)]
pub struct NewAction {
    /// Whose station it is.
    pub organization: OrganizationId,
    /// Who is asked.
    pub station: StationId,
    /// About which connector.
    pub connector: Option<ConnectorId>,
    /// About which session.
    pub session: Option<SessionId>,
    /// What is asked.
    pub kind: ActionKind,
    /// What the caller sent.
    pub data: Value,
}

/// Sends commands and records them.
#[derive(Clone)]
pub struct Performer {
    context: Context,
    link: SharedLink,
}

impl Performer {
    /// A performer that records in this context and sends over this link.
    pub fn new(context: Context, link: SharedLink) -> Self {
        Self { context, link }
    }

    /// Store, clock and ids.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Whether a station is there.
    pub fn is_online(&self, station: StationId) -> bool {
        self.link.is_online(station)
    }

    /// The store, to look at what a command is about.
    pub fn db(&self) -> &Db {
        &self.context.db
    }

    /// Asks a station something that is no action of anybody, and is not written down.
    pub async fn ask(&self, station: StationId, command: StationCommand) -> Result<Outcome, LinkError> {
        self.link.send(station, command).await
    }

    /// Carries a command out and waits for the station's answer.
    pub async fn perform(&self, new: NewAction, command: StationCommand) -> ApiResult<(ActionView, Outcome)> {
        let (view, outcome) = self.attempt(new, command).await?;
        Ok((view, outcome?))
    }

    /// The same for a caller who wants to see the action also where it has no outcome.
    pub async fn attempt(
        &self,
        new: NewAction,
        command: StationCommand,
    ) -> ApiResult<(ActionView, Result<Outcome, LinkError>)> {
        let action = self.request(new).await?;
        self.finish(action, command).await
    }

    /// Starts a command; its outcome is reported by an event.
    pub async fn start(&self, new: NewAction, command: StationCommand) -> ApiResult<ActionView> {
        self.start_or(new, command, async |_| Ok(())).await
    }

    /// Starts a command; its outcome is reported by an event, and where the station did not agree, `failed` follows with what it
    /// answered.
    pub async fn start_or<F>(
        &self,
        new: NewAction,
        command: StationCommand,
        failed: impl FnOnce(Result<Outcome, LinkError>) -> F + Send + 'static,
    ) -> ApiResult<ActionView>
    where
        F: Future<Output = StoreResult<()>> + Send,
    {
        let action = self.request(new).await?;
        let view = ActionView::from(action.clone());
        let performer = self.clone();
        tokio::spawn(cause::along(async move {
            let stored = match performer.finish(action, command).await {
                Ok((_, Ok(outcome))) if outcome.accepted => Ok(()),
                Ok((_, answer)) => failed(answer).await.map_err(ApiError::from),
                Err(error) => Err(error),
            };
            if let Err(error) = stored {
                tracing::error!(%error, "an action's outcome could not be stored");
            }
        }));
        Ok(view)
    }

    /// Writes down something that was to be asked and is not, for this reason.
    pub async fn decline(&self, new: NewAction, why: &str) -> ApiResult<()> {
        let mut action = self.request(new).await?;
        let moment = self.context.moment();
        action.status = ActionStatus::Failed;
        action.response_data = Some(Json(json!({"error": why})));
        action.updated_at = moment.version_after(action.updated_at);
        let stored = self.context.db.write(move |conn| -> StoreResult<()> {
            store::update(conn, &action)?;
            record_event(conn, &moment, &action, Step::Rejected)
        });
        Ok(stored.await?)
    }

    /// Refuses a station that is offline, then writes the action down.
    async fn request(&self, new: NewAction) -> ApiResult<Action> {
        if !self.is_online(new.station) {
            return Err(LinkError::Offline.into());
        }
        let moment = self.context.moment();
        let action = Action {
            id: moment.id(),
            organization_id: new.organization,
            type_: new.kind,
            status: ActionStatus::Requested,
            chargestation_id: new.station,
            connector_id: new.connector,
            session_id: new.session,
            data: Json(shown(new.data)),
            response_data: None,
            created_at: moment.now,
            updated_at: moment.now,
        };
        let stored = action.clone();
        self.context
            .db
            .write(move |conn| -> StoreResult<()> {
                store::insert(conn, &stored)?;
                record_event(conn, &moment, &stored, Step::Requested)
            })
            .await?;
        Ok(action)
    }

    async fn finish(
        &self,
        mut action: Action,
        command: StationCommand,
    ) -> ApiResult<(ActionView, Result<Outcome, LinkError>)> {
        let pushed = Pushed::of(&command);
        let outcome = self.link.send(action.chargestation_id, command).await;
        let taken = outcome.as_ref().map(|outcome| pushed.taken(outcome));
        let taken = taken.unwrap_or_default();
        let moment = self.context.moment();
        let accepted = matches!(&outcome, Ok(outcome) if outcome.accepted);
        action.status = if accepted { ActionStatus::Completed } else { ActionStatus::Failed };
        action.response_data = Some(Json(shown(match &outcome {
            Ok(outcome) => outcome.data.clone(),
            Err(error) => error.as_data(),
        })));
        action.updated_at = moment.version_after(action.updated_at);
        let view = ActionView::from(action.clone());
        self.context
            .db
            .write(move |conn| -> StoreResult<()> {
                store::update(conn, &action)?;
                let owner = (action.organization_id, action.chargestation_id);
                stations::keep_pushed(conn, owner, &taken, moment.now)?;
                let step = if accepted { Step::Accepted } else { Step::Rejected };
                record_event(conn, &moment, &action, step)
            })
            .await?;
        Ok((view, outcome))
    }
}

/// What is stored, and reported by events: no password, no key.
fn shown(mut data: Value) -> Value {
    hide_credentials(&mut data);
    data
}

fn record_event(conn: &mut crate::store::Conn, moment: &Moment, action: &Action, step: Step) -> StoreResult<()> {
    let kind = EventKind::Action(action.type_, step);
    Change::new(conn, action.organization_id, moment).record_at(
        action.chargestation_id,
        kind,
        &ActionView::from(action.clone()),
    )
}

impl From<LinkError> for ApiError {
    fn from(error: LinkError) -> Self {
        let code = match &error {
            LinkError::Offline => return Self::station_offline(),
            LinkError::Dropped => Code::StationOffline,
            LinkError::Silent => Code::StationSilent,
            LinkError::Refused { .. } => Code::CommandFailed,
            LinkError::Superseded => Code::Conflict,
            LinkError::QueueFull => Code::Busy,
            LinkError::Invalid(_) => Code::InvalidBody,
        };
        let sentence = error.to_string();
        let mut letters = sentence.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        Self::new(code, first.chain(letters).collect::<String>())
    }
}
