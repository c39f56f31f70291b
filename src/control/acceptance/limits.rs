//! The steps with the limit: it is sent, obeyed, and taken back.

use std::time::Duration;

use serde_json::json;

use super::looks::kilowatts;
use super::model::{Proof, StepName, StepOutcome};
use super::run::Run;
use crate::events::ActionKind;
use crate::load::groups;
use crate::sites::stations::link::{
    Enforced, LIVE_LIMIT_PROFILE, LimitPurpose, SetLimit, Signal, SignalKind, StationCommand,
};
use crate::sites::stations::{self, ExternalLimit, LimitSchedule, LimitStep, PowerType};
use crate::store::{Json, StoreResult};
use kernel::{Milliamps, Millivolts, Timestamp, Watts};

/// How long the limit lives on the station, or in balancing, where it is not taken back.
const LIVES: Duration = Duration::from_secs(180);
/// How long the meter may take to follow.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(90);
/// How often the meter is asked for meanwhile.
const ASKED_EVERY: Duration = Duration::from_secs(15);
/// How long the station may take to say that the limit applies; balancing has to send it first.
const SHOWN_WITHIN: Duration = Duration::from_secs(45);
/// How often it is asked meanwhile.
const SHOWN_EVERY: Duration = Duration::from_secs(5);
/// The least that a car can be given on a phase (IEC 61851).
const LEAST_CURRENT: Milliamps = Milliamps(6_000);
/// Volts between a phase and neutral where the connector says nothing.
const MAINS: Millivolts = Millivolts(230_000);
/// What a station rounds: a connector of direct current is limited to this part of what it gives.
const LEAST_OF_DC: i64 = 4;
/// Who limits, as balancing is given it.
pub(super) const SOURCE: &str = "acceptance_test";

/// What is to be proven.
#[derive(Debug, Clone, Copy)]
struct Goal {
    limit: Watts,
    /// What a car drew before; none where the schedule has to do.
    before: Option<Watts>,
}

impl Goal {
    /// What a meter or a schedule may show above the limit: it rounds, and meters are 2 % off.
    fn most(self) -> Watts {
        Watts(self.limit.get() + self.limit.get() / 10 + 50)
    }
}

impl Run {
    fn voltage(&self) -> Millivolts {
        self.connector.voltage_limit.unwrap_or(MAINS)
    }

    fn is_dc(&self) -> bool {
        self.connector.power_type == PowerType::Dc
    }

    /// The least that a car can be given here.
    fn least(&self) -> Watts {
        match self.is_dc() {
            true => Watts(self.connector.power.get() / LEAST_OF_DC),
            false => LEAST_CURRENT.to_power(self.voltage(), self.connector.phase_set()),
        }
    }

    /// Limits, looks whether that is obeyed, and takes the limit back, whatever came before. `power` is what a car draws.
    pub(super) async fn limit(&mut self, power: Option<Watts>) -> StoreResult<()> {
        let shown = self.enforced().await.ok().flatten();
        let Some(goal) = self.goal(power, shown) else {
            return self.note_nothing_to_lower().await;
        };
        let sent_at = self.now();
        let until = sent_at + LIVES;
        let sent = match self.balanced {
            true => self.lower_balancing(goal, until).await?,
            false => self.send(goal).await?,
        };
        let obeyed = match (sent, goal.before) {
            (true, Some(before)) => self.watch_meter(goal, before, sent_at).await,
            (true, None) => self.watch_schedule(goal).await,
            (false, _) => Ok(()),
        };
        let removed = match self.balanced {
            true => self.free_balancing().await,
            false => self.take_back(until).await,
        };
        obeyed.and(removed)
    }

    /// Balancing lets no connector draw before a car comes: a station that says so obeys what it was sent.
    async fn note_nothing_to_lower(&mut self) -> StoreResult<()> {
        let now = self.now();
        let message = "Nothing may be drawn there as it is, so there is nothing to lower";
        self.step(StepName::Limit, StepOutcome::Skipped, message, now).await?;
        if self.balanced {
            self.test.proof = Some(Proof::Schedule);
            let message = "It says that nothing may be drawn, as balancing has it while no car charges";
            self.step(StepName::Obeys, StepOutcome::Passed, message, now).await
        } else {
            let message = "Not tried: something else limits the station to nothing";
            self.step(StepName::Obeys, StepOutcome::Skipped, message, now).await
        }
    }

    /// By the meter where a car draws enough to see it fall, else by the schedule; never above what the station keeps now.
    fn goal(&self, power: Option<Watts>, shown: Option<Watts>) -> Option<Goal> {
        let least = self.least();
        let falls = power.filter(|power| power.get() * 4 >= least.get() * 5);
        let limit = match falls {
            Some(power) => least.max(Watts(power.get() / 2)),
            None => least,
        };
        let limit = shown.map_or(limit, |shown| shown.min(limit));
        (limit > Watts::ZERO).then_some(Goal { limit, before: falls })
    }

    /// Has balancing send it: as a limit of somebody else, so that it stays below what the group allows.
    async fn lower_balancing(&mut self, goal: Goal, until: Timestamp) -> StoreResult<bool> {
        let (now, station, connector) = (self.now(), self.station.id, self.connector.id);
        let step = LimitStep { from: now, limit: Some(Enforced::Power(goal.limit)), phases: None };
        let db = self.tester.performer.db();
        let kept = db.write(move |conn| {
            let layout = stations::layout(conn, station)?;
            let outlet = layout.outlets().iter().find(|outlet| outlet.connector == connector);
            let limit = ExternalLimit {
                chargestation_id: station,
                evse_number: outlet.map_or(0, |outlet| outlet.evse),
                source: SOURCE.to_owned(),
                evse_id: None,
                grid_critical: None,
                local_generation: false,
                schedules: Json(vec![LimitSchedule { start: now, end: Some(until), steps: vec![step] }]),
                reported_at: now,
            };
            stations::keep_external_limit(conn, limit)
        });
        let kept = kept.await?;
        self.notify_balancing();
        let (outcome, message) = match kept {
            true => (
                StepOutcome::Passed,
                format!("Balancing was given {} as the most for this connector", kilowatts(goal.limit)),
            ),
            false => (StepOutcome::Failed, "Balancing knows no such EVSE".to_owned()),
        };
        self.step(StepName::Limit, outcome, message, now).await?;
        Ok(kept)
    }

    fn notify_balancing(&self) {
        self.tester.signals.notify(Signal {
            organization: self.test.organization_id,
            station: self.station.id,
            kind: SignalKind::ExternalLimit,
        });
    }

    /// Sends it as balancing would, to run out by itself.
    async fn send(&mut self, goal: Goal) -> StoreResult<bool> {
        let running = self.running().await?;
        let phases = self.connector.phase_set();
        let command = StationCommand::SetLimit(SetLimit {
            connector: self.connector.number,
            limit: goal.limit,
            purpose: LimitPurpose::Live,
            voltage: self.voltage(),
            phases,
            offered: phases,
            transaction: running.and_then(|running| running.transaction),
            sole: self.sole,
            in_amps: !self.is_dc(),
            duration_seconds: u32::try_from(LIVES.as_secs()).ok(),
            lowers: true,
            escalate: false,
        });
        // Stored before it is sent: whatever happens, it is removed.
        self.test.left_profile = Some(LIVE_LIMIT_PROFILE + self.connector.number);
        self.save().await?;
        let data = json!({"unit": "power", "limit": goal.limit});
        let now = self.now();
        match self.ask(ActionKind::ConnectorSetPowerLimit, data, command).await {
            Ok(_) => {
                let message = format!("It took a limit of {}", kilowatts(goal.limit));
                self.step(StepName::Limit, StepOutcome::Passed, message, now).await?;
                Ok(true)
            }
            Err(why) => {
                self.step(StepName::Limit, StepOutcome::Failed, why, now).await?;
                Ok(false)
            }
        }
    }

    /// Waits until the meter shows that the car draws less.
    async fn watch_meter(&mut self, goal: Goal, before: Watts, sent_at: Timestamp) -> StoreResult<()> {
        let deadline = sent_at + FOLLOWS_WITHIN;
        let (mut last, mut asked_at) = (None, sent_at);
        while self.now() < deadline {
            let until = deadline.min(asked_at + ASKED_EVERY);
            let Some(power) = self.next_power(until).await else {
                asked_at = self.now();
                if asked_at < deadline {
                    self.trigger("MeterValues").await;
                }
                continue;
            };
            last = Some(power);
            if power <= goal.most() {
                let seconds = self.now().since(sent_at).as_secs();
                let (shown, limit, was) = (kilowatts(power), kilowatts(goal.limit), kilowatts(before));
                let message =
                    format!("The meter showed {shown} {seconds} s after the limit of {limit}; before it was {was}");
                self.test.proof = Some(Proof::Meter);
                return self.step(StepName::Obeys, StepOutcome::Passed, message, self.now()).await;
            }
        }
        let seconds = FOLLOWS_WITHIN.as_secs();
        let message = match last {
            Some(power) => {
                let (shown, limit) = (kilowatts(power), kilowatts(goal.limit));
                format!("The meter still showed {shown} {seconds} s after the limit of {limit}")
            }
            None => format!("No meter value came within {seconds} s after the limit"),
        };
        self.step(StepName::Obeys, StepOutcome::Failed, message, self.now()).await
    }

    /// Asks until the station says that the limit applies.
    async fn watch_schedule(&mut self, goal: Goal) -> StoreResult<()> {
        let deadline = self.now() + SHOWN_WITHIN;
        loop {
            let asked_at = self.now();
            let message = match self.enforced().await {
                Ok(Some(power)) if power <= goal.most() => {
                    let (shown, limit) = (kilowatts(power), kilowatts(goal.limit));
                    let message = format!("No car draws enough; it says that {shown} apply, with a limit of {limit}");
                    self.test.proof = Some(Proof::Schedule);
                    return self.step(StepName::Obeys, StepOutcome::Passed, message, self.now()).await;
                }
                Ok(Some(power)) => {
                    let (shown, limit) = (kilowatts(power), kilowatts(goal.limit));
                    format!("It says that {shown} apply, with a limit of {limit}")
                }
                Ok(None) => "No car draws enough, and it does not say which limit applies".to_owned(),
                Err(why) => format!("No car draws enough, and which limit applies was not to be had: {why}"),
            };
            let now = self.now();
            if now >= deadline {
                return self.step(StepName::Obeys, StepOutcome::Failed, message, now).await;
            }
            self.tester.performer.context().clock.sleep_until(asked_at + SHOWN_EVERY).await;
        }
    }

    /// What the station says that it lets the connector draw now.
    async fn enforced(&self) -> Result<Option<Watts>, String> {
        let (connector, seconds) = (self.connector.number, 60);
        let in_amps = Some(!self.is_dc());
        let command = StationCommand::GetCompositeSchedule { connector, seconds, in_amps };
        let data = json!({"duration": seconds});
        let outcome = self.ask(ActionKind::StationGetCompositeSchedule, data, command).await?;
        Ok(outcome.enforced.map(|enforced| match enforced {
            Enforced::Power(power) => power,
            Enforced::Current(current) => current.to_power(self.voltage(), self.connector.phase_set()),
        }))
    }

    async fn free_balancing(&mut self) -> StoreResult<()> {
        let station = self.station.id;
        let db = self.tester.performer.db();
        db.write(move |conn| stations::clear_external_limits(conn, station, None, SOURCE)).await?;
        self.notify_balancing();
        let message = "Balancing decides alone again";
        self.step(StepName::Removed, StepOutcome::Passed, message, self.now()).await
    }

    /// Removes the limit. Where the station cannot be asked, that is done when it connects. A station that balancing steers meanwhile
    /// has its limit in the place of ours, under the same id: to remove that would free the car.
    async fn take_back(&mut self, until: Timestamp) -> StoreResult<()> {
        let Some(id) = self.test.left_profile else {
            return Ok(());
        };
        let station = self.station.id;
        if self.tester.performer.db().read(move |conn| groups::is_member(conn, station)).await? {
            self.test.left_profile = None;
            let message = "The station joined a group during the test, so balancing's limit has taken its place";
            return self.step(StepName::Removed, StepOutcome::Skipped, message, self.now()).await;
        }
        let command =
            StationCommand::ClearChargingProfile { id: Some(id), connector: None, purpose: None, stack_level: None };
        match self.ask(ActionKind::ConnectorClearPowerLimit, json!({}), command).await {
            Ok(_) => {
                self.test.left_profile = None;
                self.step(StepName::Removed, StepOutcome::Passed, "It removed the limit", self.now()).await
            }
            Err(why) => {
                let message = format!(
                    "The limit was not removed, and is when the station connects next; a station that keeps to its end \
                     forgets it at {until}: {why}"
                );
                self.step(StepName::Removed, StepOutcome::Failed, message, self.now()).await
            }
        }
    }
}
