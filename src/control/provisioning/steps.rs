//! The steps, in order. One that the station refuses does not keep it from the next; one that finds it gone ends them.

use serde_json::{Value, json};

use super::capabilities;
use super::uses::Uses;
use crate::control::actions::{NewAction, Performer};
use crate::control::profiles;
use crate::control::templates::{self, Batch};
use crate::events::ActionKind;
use crate::http::{ApiError, ApiResult, Code};
use crate::load::groups;
use crate::sites::stations::link::{Outcome, StationCommand};
use crate::sites::stations::{self, BootConfiguration, QuirkProfile, Station, quirks_of};
use kernel::{OrganizationId, StationId};

/// Runs all steps for a station that has settled.
pub(super) async fn run(
    performer: &Performer,
    uses: Uses,
    (organization, id): (OrganizationId, StationId),
) -> ApiResult<()> {
    let now = performer.context().clock.now();
    let (station, balanced, wanted) = performer
        .db()
        .read(move |conn| {
            let station = stations::find_station(conn, organization, id)?;
            let balanced = groups::is_member(conn, id)?;
            let wanted = templates::wanted(conn, &station, now)?;
            Ok::<_, ApiError>((station, balanced, wanted))
        })
        .await?;
    let quirks = quirks_of(&station);
    let visit = Visit { performer, station, quirks };
    let boot = visit.station.boot_configuration.0.clone();
    if boot.enabled == Some(true) {
        visit.boot(&boot, balanced).await?;
    }
    profiles::push(performer, &visit.station).await?;
    for batch in templates::batches(wanted) {
        visit.configure(&batch).await?;
    }
    if capabilities::is_unknown(&visit.station) {
        capabilities::probe(performer, uses, &visit.station).await?;
    }
    Ok(())
}

struct Visit<'a> {
    performer: &'a Performer,
    station: Station,
    quirks: Option<&'static QuirkProfile>,
}

impl Visit<'_> {
    fn action(&self, kind: ActionKind, data: Value) -> NewAction {
        NewAction {
            organization: self.station.organization_id,
            station: self.station.id,
            connector: None,
            session: None,
            kind,
            data,
        }
    }

    /// Asks; a refusal is in the log of actions and not an error here, a lost connection is.
    async fn ask(&self, action: NewAction, command: StationCommand) -> ApiResult<Option<Outcome>> {
        match self.performer.perform(action, command).await {
            Ok((_, outcome)) => Ok(Some(outcome)),
            Err(error) if error.code() == Code::StationOffline => Err(error),
            Err(_) => Ok(None),
        }
    }

    async fn boot(&self, boot: &BootConfiguration, balanced: bool) -> ApiResult<()> {
        let triggers = [
            (boot.trigger_boot_notification, "BootNotification"),
            (boot.trigger_status_notification, "StatusNotification"),
            (boot.trigger_heartbeat, "Heartbeat"),
        ];
        for (_, message) in triggers.into_iter().filter(|(wanted, _)| *wanted == Some(true)) {
            let action = self.action(ActionKind::StationBootTrigger, json!({"message": message}));
            if self.quirks.is_some_and(|quirks| quirks.triggers == Some(false)) {
                let why = "chargers of this kind do not bear triggered messages";
                self.performer.decline(action, why).await?;
                continue;
            }
            let command = StationCommand::TriggerMessage { message: message.to_owned(), connector: None };
            self.ask(action, command).await?;
        }
        if boot.clear_charging_profiles != Some(true) {
            return Ok(());
        }
        let action = self.action(ActionKind::StationBootClearChargingProfiles, json!({}));
        if balanced {
            let why = "the station is in a load-management group: without its limits it would draw full power";
            return self.performer.decline(action, why).await;
        }
        let command =
            StationCommand::ClearChargingProfile { id: None, connector: None, purpose: None, stack_level: None };
        self.ask(action, command).await.map(drop)
    }

    /// Reads the keys of a batch, changes those that differ, and reads them again: some stations confirm a change and
    /// do not make it.
    async fn configure(&self, batch: &Batch) -> ApiResult<()> {
        let before = self.read(batch).await?;
        let different = |value: Option<&Value>, wanted: &str| value.and_then(Value::as_str) != Some(wanted);
        let mut changed = false;
        for setting in &batch.settings {
            let known = before.get(&setting.key);
            if !different(known.and_then(|known| known.get("value")), &setting.value) {
                continue;
            }
            let data = json!({"key": setting.key, "value": setting.value, "template": batch.template});
            let action = self.action(ActionKind::StationUpdateConfiguration, data);
            if known.and_then(|known| known.get("readonly")) == Some(&Value::Bool(true)) {
                self.performer.decline(action, "the station says that the key is read-only").await?;
                continue;
            }
            let command =
                StationCommand::ChangeConfiguration { key: setting.key.clone(), value: setting.value.clone() };
            self.ask(action, command).await?;
            changed = true;
        }
        if changed {
            self.read(batch).await?;
        }
        Ok(())
    }

    async fn read(&self, batch: &Batch) -> ApiResult<Value> {
        let keys: Vec<String> = batch.settings.iter().map(|setting| setting.key.clone()).collect();
        capabilities::read_keys(self.performer, &self.station, &keys).await
    }
}
