//! The steps before the limit: what the station has shown of itself, and what it is asked to show where it has not.

use std::time::Duration;

use super::model::{StepName, StepOutcome};
use super::run::{Heard, Run};
use crate::store::StoreResult;
use kernel::{Timestamp, Watts};

/// How long a message is waited for that the station was asked to send.
const MESSAGE_WITHIN: Duration = Duration::from_secs(30);
/// How long a meter value is waited for: stations send them each minute at least.
const METER_WITHIN: Duration = Duration::from_secs(90);
/// How long the next meter value is waited for before it is asked for.
const METER_UNASKED: Duration = Duration::from_secs(15);

impl Run {
    /// Looks at socket, boot, status and meter; answers what a car draws, where one charges.
    pub(super) async fn look(&mut self) -> StoreResult<Option<Watts>> {
        let connected = self.station.last_connect_at.unwrap_or_else(|| self.now());
        let spoken = self.station.protocol;
        let message = format!("It is connected and speaks {spoken}");
        self.step(StepName::Socket, StepOutcome::Passed, message, connected).await?;
        self.look_for_boot().await?;
        let since = self.now();
        self.look_for_status().await?;
        self.look_for_meter(since).await
    }

    async fn look_for_boot(&mut self) -> StoreResult<()> {
        let mut booted = self.station.last_boot_at;
        if booted.is_none() {
            let until = self.now() + MESSAGE_WITHIN;
            self.trigger("BootNotification").await;
            let heard = self.next(until, |heard| matches!(heard, Heard::Booted).then_some(())).await;
            booted = heard.map(|()| self.now());
        }
        match booted {
            Some(at) => self.step(StepName::Boot, StepOutcome::Passed, "It said that it booted", at).await,
            None => {
                let message = format!("It sent no BootNotification within {} s", MESSAGE_WITHIN.as_secs());
                self.step(StepName::Boot, StepOutcome::Failed, message, self.now()).await
            }
        }
    }

    async fn look_for_status(&mut self) -> StoreResult<()> {
        let mut reported = self.connector.status_heard_at;
        if reported.is_none() {
            let until = self.now() + MESSAGE_WITHIN;
            self.trigger("StatusNotification").await;
            let heard = self.next(until, |heard| matches!(heard, Heard::Status).then_some(())).await;
            reported = heard.map(|()| self.now());
        }
        match reported {
            Some(at) => {
                let message = "It said how the connector is doing";
                self.step(StepName::Status, StepOutcome::Passed, message, at).await
            }
            None => {
                let message = format!("It sent no status of the connector within {} s", MESSAGE_WITHIN.as_secs());
                self.step(StepName::Status, StepOutcome::Failed, message, self.now()).await
            }
        }
    }

    /// A meter value that comes by itself, or else one that is asked for.
    async fn look_for_meter(&mut self, since: Timestamp) -> StoreResult<Option<Watts>> {
        let is_charging = self.running().await?.is_some();
        let within = if is_charging { METER_WITHIN } else { MESSAGE_WITHIN };
        let shown = |heard: Heard| match heard {
            Heard::Metered(shown) => Some(shown),
            _ => None,
        };
        let mut seen = match is_charging {
            true => self.next(since + METER_UNASKED, shown).await,
            false => None,
        };
        if seen.is_none() {
            let until = self.now() + within;
            self.trigger("MeterValues").await;
            seen = self.next(until, shown).await;
        }
        match seen {
            Some(shown) => {
                let message = match (shown.power, shown.register) {
                    (Some(power), _) => format!("Its meter shows {}", kilowatts(power)),
                    (None, Some(register)) => format!("Its meter shows {} Wh and no power", register.get()),
                    (None, None) => "Its meter shows neither power nor energy".to_owned(),
                };
                self.step(StepName::Meter, StepOutcome::Passed, message, shown.at).await?;
                Ok(shown.power.filter(|_| is_charging))
            }
            None if is_charging => {
                let message = format!("A car charges, and no meter value came within {} s", within.as_secs());
                self.step(StepName::Meter, StepOutcome::Failed, message, self.now()).await?;
                Ok(None)
            }
            None => {
                let message = "It sends no meter value while no car charges";
                self.step(StepName::Meter, StepOutcome::Skipped, message, self.now()).await?;
                Ok(None)
            }
        }
    }
}

/// `7.2 kW`.
pub(super) fn kilowatts(power: Watts) -> String {
    format!("{} kW", power.kilowatts())
}
