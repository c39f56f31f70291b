//! What a session is.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::corrections::Correction;
use super::cost::SessionCost;
use super::energy::EnergyLedger;
use super::energy_report::EnergyReport;
use crate::charging::reservations::ChargingIncludes;
use crate::events;
use crate::filters;
use crate::http::Versioned;
use crate::http::envelope::Reference;
use crate::http::fields::MetaData;
use crate::http::merging::Changes;
use crate::people::users::UserView;
use crate::sites::stations::{ConnectorView, StationView};
use crate::store::Json;
use crate::store::schema::sessions;
use crate::{input, patch};
use kernel::text::Line;
use kernel::*;

crate::spelled! {
    /// How far a session got.
    pub enum SessionStatus {
        /// Asked for by API; the station was asked to start.
        Created = "created",
        /// The station reported its start.
        Started = "started",
        /// The station reported its end, or it must have ended.
        Ended = "ended",
        /// It never started.
        Cancelled = "cancelled",
    }
}

crate::spelled! {
    /// Who pays.
    pub enum SessionType {
        /// Somebody who follows a link.
        PaymentLink = "payment_link",
        /// The driver's wallet.
        Wallet = "wallet",
    }
}

crate::spelled! {
    /// What the car is doing, in OCPP 2's words.
    pub enum ChargingState {
        /// Energy flows.
        Charging = "Charging",
        /// The station offers none.
        SuspendedEvse = "SuspendedEVSE",
        /// The car takes none.
        SuspendedEv = "SuspendedEV",
        /// Plugged in, nothing yet.
        Connected = "EVConnected",
        /// Nothing.
        Idle = "Idle",
    }
}
crate::text_column!(spelled SessionStatus, SessionType, ChargingState);

input! {
    /// When a session stops by itself.
    #[derive(Default, Serialize, Deserialize)]
    pub struct Target {
        /// After this many kWh.
        #[schema(minimum = 0)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub energy: Option<f64>,
        /// After this many minutes of drawing energy.
        #[schema(minimum = 0)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub time: Option<f64>,
        /// When it costs this much.
        #[schema(minimum = 0)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cost: Option<f64>,
        /// At this state of charge, in percent.
        #[schema(minimum = 0, maximum = 100)]
        #[serde(skip_serializing_if = "Option::is_none")]
        pub state_of_charge: Option<f64>,
    }
}

input! {
    /// A session to be started.
    pub(crate) struct NewSession {
        /// Where.
        pub connector: ConnectorId,
        /// For whom.
        pub user: Option<UserId>,
        /// When it stops by itself.
        pub target: Option<Target>,
        /// Who pays.
        pub kind as "type": Option<SessionType>,
        /// When the car leaves, for the planner.
        pub departure_time: Option<Timestamp>,
        /// How much energy it needs by then, in kWh.
        #[schema(minimum = 0)]
        pub energy_need: Option<f64>,
        /// The token the station is sent, of 20 characters at most where it speaks OCPP 1.6, of 36 with 2.0.1 and 255 with 2.1;
        /// made when absent.
        pub id_tag: Option<Line>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of a running session (JSON merge patch).
    pub(crate) struct SessionPatch {
        /// When it stops by itself.
        pub target: Changes<Target>,
        /// When the car leaves.
        pub departure_time: Timestamp,
        /// How much energy it needs by then, in kWh.
        pub energy_need: f64,
        /// JSON of your own.
        pub meta_data: Changes<MetaData>,
    }
}

/// Where a session notes that it costs nothing.
const FREE: &str = "free_vending";

/// A stretch of a session with one charging state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Activity {
    /// From when.
    #[serde(rename = "startTime")]
    pub start_time: Timestamp,
    /// Until when; null while it lasts.
    #[serde(rename = "endTime")]
    pub end_time: Option<Timestamp>,
    /// What the car was doing.
    #[schema(value_type = String)]
    pub status: ChargingState,
}

/// A stored session.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sessions, treat_none_as_null = true)]
pub struct Session {
    pub id: SessionId,
    pub organization_id: OrganizationId,
    pub chargestation_id: StationId,
    pub connector_id: Option<ConnectorId>,
    pub user_id: Option<UserId>,
    pub token_id: Option<TokenId>,
    pub id_tag: Option<String>,
    pub status: SessionStatus,
    pub type_: Option<SessionType>,
    pub orphan: bool,
    pub transaction_id: Option<i64>,
    pub start_key: Option<String>,
    pub stop_key: Option<String>,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub meter_start: Option<WattHours>,
    pub meter_stop: Option<WattHours>,
    pub energy: WattHours,
    pub energy_period: i64,
    pub latest: Option<Json<EnergyReport>>,
    pub latest_at: Option<Timestamp>,
    pub power: Option<Watts>,
    pub charging_state: Option<ChargingState>,
    pub charging_activity: Json<Vec<Activity>>,
    pub stop_reason: Option<String>,
    pub target: Json<Target>,
    pub configurations: Json<Value>,
    pub departure_at: Option<Timestamp>,
    pub energy_need: Option<WattHours>,
    pub power_limit: Option<Watts>,
    pub reported_at: Option<Timestamp>,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub rate_id: Option<RateId>,
    pub rate_version: Option<i64>,
    pub cost: Option<Json<SessionCost>>,
    pub service_offer_id: Option<ServiceOfferId>,
    pub transaction_name: Option<String>,
    pub start_request: Option<i64>,
    pub car_schedule: Option<Json<Value>>,
    pub energy_ledger: Option<Json<EnergyLedger>>,
    pub flags: Json<Vec<String>>,
    /// When its start was received, by our clock; `started_at` is by the clock of the station.
    pub begun_at: Option<Timestamp>,
    pub corrections: Json<Vec<Correction>>,
    /// Its station ended it, and nobody had asked for that.
    pub restartable: bool,
    /// How many reports of readings it has taken in.
    pub reports: i64,
}

impl Session {
    /// An empty session at a connector.
    pub fn blank(
        organization_id: OrganizationId,
        chargestation_id: StationId,
        connector_id: Option<ConnectorId>,
        moment: &Moment,
    ) -> Self {
        Self {
            id: moment.id(),
            organization_id,
            chargestation_id,
            connector_id,
            user_id: None,
            token_id: None,
            id_tag: None,
            status: SessionStatus::Created,
            type_: None,
            orphan: false,
            transaction_id: None,
            start_key: None,
            stop_key: None,
            started_at: None,
            ended_at: None,
            meter_start: None,
            meter_stop: None,
            energy: WattHours::ZERO,
            energy_period: 0,
            latest: None,
            latest_at: None,
            power: None,
            charging_state: None,
            charging_activity: Json::default(),
            stop_reason: None,
            target: Json::default(),
            configurations: Json(json!({})),
            departure_at: None,
            energy_need: None,
            power_limit: None,
            reported_at: None,
            meta_data: Json::default(),
            created_at: moment.now,
            updated_at: moment.now,
            rate_id: None,
            rate_version: None,
            cost: None,
            service_offer_id: None,
            transaction_name: None,
            start_request: None,
            car_schedule: None,
            energy_ledger: None,
            flags: Json::default(),
            begun_at: None,
            corrections: Json::default(),
            restartable: false,
            reports: 0,
        }
    }

    /// Whether it may still change.
    pub fn is_open(&self) -> bool {
        matches!(self.status, SessionStatus::Created | SessionStatus::Started)
    }

    /// Takes its prices away: an unknown card vends freely.
    pub(super) fn make_free(&mut self) {
        (self.rate_id, self.rate_version) = (None, None);
        (self.service_offer_id, self.cost) = (None, None);
        if let Value::Object(notes) = &mut self.configurations.0 {
            notes.insert(FREE.to_owned(), true.into());
        }
    }

    /// Whether it costs nothing, because an unknown card vends freely.
    pub fn is_free(&self) -> bool {
        self.configurations.0.get(FREE) == Some(&Value::Bool(true))
    }

    /// Whether its station was asked to start it with this tag.
    pub(super) fn was_asked_for_with(&self, id_tag: &str) -> bool {
        let tag = self.id_tag.as_deref();
        self.start_request.is_some() && tag.is_some_and(|own| own.eq_ignore_ascii_case(id_tag))
    }

    /// Whether a car is plugged in and nobody has said yet who charges.
    pub(super) fn awaits_driver(&self) -> bool {
        self.status == SessionStatus::Started && self.id_tag.is_none()
    }

    /// Notes what the car is doing from this instant. True where it has charged, and takes no more for the first time.
    pub(super) fn enter(&mut self, state: ChargingState, at: Timestamp) -> bool {
        if self.charging_state == Some(state) {
            return false;
        }
        let was = |known| self.charging_activity.0.iter().any(|past| past.status == known);
        let is_charged =
            state == ChargingState::SuspendedEv && was(ChargingState::Charging) && !was(ChargingState::SuspendedEv);
        self.charging_state = Some(state);
        self.close_activity(at);
        self.charging_activity.0.push(Activity { start_time: at, end_time: None, status: state });
        is_charged
    }

    pub(super) fn close_activity(&mut self, at: Timestamp) {
        if let Some(last) = self.charging_activity.0.last_mut() {
            last.end_time.get_or_insert(at);
        }
    }

    /// The current of its highest phase at the latest reading.
    pub fn current(&self) -> Option<Milliamps> {
        self.latest.as_ref()?.0.current()
    }

    /// The current of each of the three phases at the latest reading, where all were reported.
    pub fn phase_currents(&self) -> Option<[Milliamps; 3]> {
        self.latest.as_ref()?.0.phase_currents()
    }

    /// What it costs so far, in the currency's major unit; nothing where it has no price.
    pub fn amount_due(&self) -> Option<f64> {
        self.cost.as_ref().map(|cost| cost.0.major_units())
    }

    /// The target that it reached, if any: what `stop` will be given as the reason.
    pub fn reached_target(&self) -> Option<&'static str> {
        let target = &self.target.0;
        let soc = self.latest.as_ref().and_then(|latest| latest.0.soc_percent()).map(f64::from);
        #[expect(clippy::cast_precision_loss, reason = "energies and seconds are far below 2^53")]
        let (energy, seconds) = (self.energy.get() as f64, self.energy_period as f64);
        if target.energy.is_some_and(|kwh| energy >= kwh * 1000.0) {
            Some("energy")
        } else if target.time.is_some_and(|minutes| seconds >= minutes * 60.0) {
            Some("time")
        } else if target.cost.zip(self.cost.as_ref()).is_some_and(|(most, cost)| cost.0.major_units() >= most) {
            Some("cost")
        } else if target.state_of_charge.zip(soc).is_some_and(|(wanted, soc)| soc >= wanted) {
            Some("state_of_charge")
        } else {
            None
        }
    }
}

/// What a session measured.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Metrics {
    /// When it began to charge.
    #[serde(rename = "chargingStart")]
    pub charging_start: Option<Timestamp>,
    /// When it stopped.
    #[serde(rename = "chargingStop")]
    pub charging_stop: Option<Timestamp>,
    /// The meter at its start, in Wh.
    #[serde(rename = "meterStart")]
    pub meter_start: Option<i64>,
    /// Seconds of drawing energy.
    #[serde(rename = "energyPeriod")]
    pub energy_period: i64,
    /// Wh delivered: what registers prove, bounded by what the connector can give in the time that passed.
    #[serde(rename = "energyConsumed")]
    pub energy_consumed: i64,
    /// Wh that registers claim beyond; they are not billed. More than 0 is worth a look: `flags` says why.
    #[serde(rename = "energyUnproven")]
    pub energy_unproven: i64,
    /// Wh that readings of power prove over time; not billed, but a witness of the register.
    #[serde(rename = "energyByPower")]
    pub energy_by_power: i64,
    /// What the car is doing.
    #[serde(rename = "chargingState")]
    #[schema(value_type = Option<String>)]
    pub charging_state: Option<ChargingState>,
    /// Why it stopped, in OCPP's words.
    #[serde(rename = "chargingStopReason")]
    pub charging_stop_reason: Option<String>,
}

/// A session as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SessionView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: SessionId,
    /// created, started, ended or cancelled.
    pub status: SessionStatus,
    /// Who pays.
    #[serde(rename = "type")]
    pub kind: Option<SessionType>,
    /// Where: an id, or with `include_chargestation=true` the whole station.
    #[schema(value_type = Reference<StationId, StationView>)]
    pub chargestation: StationId,
    /// At which connector: an id, or with `include_connector=true` the whole connector; null for a stop whose start was never seen.
    #[schema(value_type = Option<Reference<ConnectorId, ConnectorView>>)]
    pub connector: Option<ConnectorId>,
    /// For whom: an id, or with `include_user=true` the whole user.
    #[schema(value_type = Option<Reference<UserId, UserView>>)]
    pub user: Option<UserId>,
    /// The token's id, where it is known.
    pub token: Option<TokenId>,
    /// What was presented to the reader, or what the station was asked to start with; an API key without the scope `read:tokens` sees
    /// its last four characters only.
    pub id_tag: Option<String>,
    /// Whether it costs nothing, because no token knows its card and such cards vend freely.
    pub free_vending: bool,
    /// The number the station knows it by.
    pub transaction_id: Option<i64>,
    /// The station's own name of it, where it has one.
    pub transaction_name: Option<String>,
    /// Whether only its end is known.
    pub orphan: bool,
    /// When it stops by itself.
    #[schema(inline)]
    pub target: Target,
    /// What it measured.
    pub metrics: Metrics,
    /// The latest value of each measurand; one that the latest reading did not contain has a `timestamp` of its own.
    #[schema(value_type = Option<Object>)]
    pub energy_report: Option<EnergyReport>,
    /// What the car was doing when.
    pub charging_activity: Vec<Activity>,
    /// When the car leaves.
    pub departure_time: Option<Timestamp>,
    /// How much energy it needs by then, in kWh.
    pub energy_need: Option<f64>,
    /// What the car means to draw when, in the words of its station (ISO 15118); null where it did not say.
    #[schema(value_type = Option<Object>)]
    pub car_schedule: Option<Value>,
    /// The limit set for this session, in kW.
    pub power_limit: Option<f64>,
    /// The rate or schedule of rates that prices it.
    pub rate: Option<RateId>,
    /// The service offer that prices it, where the connector has no rate.
    pub service_offer: Option<ServiceOfferId>,
    /// The version of the rate, schedule or offer whose prices the session keeps.
    pub rate_version: Option<i64>,
    /// What was odd about its readings, each kind once; [docs/METERING.md](/docs/METERING.md) says what each means.
    pub flags: Vec<String>,
    /// What it costs, so far or in the end; null where nothing prices it.
    pub cost: Option<SessionCost>,
    /// What was corrected after its end, oldest first, each with what it amounted to before and after.
    pub corrections: Vec<Correction>,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        let proof = session.energy_ledger.as_ref().map(|ledger| &ledger.0);
        Self {
            id: session.id,
            free_vending: session.is_free(),
            id_tag: session.id_tag,
            status: session.status,
            kind: session.type_,
            chargestation: session.chargestation_id,
            connector: session.connector_id,
            user: session.user_id,
            token: session.token_id,
            transaction_id: session.transaction_id,
            transaction_name: session.transaction_name,
            orphan: session.orphan,
            target: session.target.0,
            metrics: Metrics {
                charging_start: session.started_at,
                charging_stop: session.ended_at,
                meter_start: session.meter_start.map(WattHours::get),
                energy_period: session.energy_period,
                energy_consumed: session.energy.get(),
                energy_unproven: proof.map_or(0, |ledger| ledger.unproven().get()),
                energy_by_power: proof.map_or(0, |ledger| ledger.by_power().get()),
                charging_state: session.charging_state,
                charging_stop_reason: session.stop_reason,
            },
            energy_report: session.latest.map(|latest| latest.0),
            charging_activity: session.charging_activity.0,
            departure_time: session.departure_at,
            energy_need: session.energy_need.map(|energy| crate::http::quantities::shown(energy.get())),
            car_schedule: session.car_schedule.map(|schedule| schedule.0),
            power_limit: session.power_limit.map(Watts::kilowatts),
            rate: session.rate_id,
            service_offer: session.service_offer_id,
            rate_version: session.rate_version,
            flags: session.flags.0,
            cost: session.cost.map(|cost| cost.0),
            corrections: session.corrections.0,
            meta_data: session.meta_data.0,
            created_at: session.created_at,
            updated_at: session.updated_at,
        }
    }
}

impl SessionView {
    /// As one sees it who may, or may not, read tokens.
    pub(super) fn seen(mut self, whole: bool) -> Self {
        if !whole {
            self.id_tag = self.id_tag.map(|number| events::masked(&number));
        }
        self
    }

    /// As one sees it who may not read tokens.
    pub fn veiled(self) -> Self {
        self.seen(false)
    }
}

impl Versioned for SessionView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of sessions.
    pub(crate) struct SessionFilter {
        /// Only those that got this far.
        #[param(inline)]
        pub status: SessionStatus,
        /// Only those at this station.
        pub chargestation: StationId,
        /// Only those at this connector.
        pub connector: ConnectorId,
        /// Only those at this location, by where their stations stand today.
        pub location: LocationId,
        /// Only those at stations that are in this load-management group today, or in one below it.
        pub group: GroupId,
        /// Only those of this driver.
        pub user: UserId,
        /// Only those that began to charge at or after this.
        pub charging_from as "chargingStart[$gte]": Timestamp,
        /// Only those that began to charge at or before this.
        pub charging_until as "chargingStart[$lte]": Timestamp,
        /// Only those that stopped at or after this.
        pub stopped_from as "chargingStop[$gte]": Timestamp,
        /// Only those that stopped at or before this.
        pub stopped_until as "chargingStop[$lte]": Timestamp,
        /// Only stops whose start was never seen.
        pub orphan: bool,
        /// Put the whole charge station in place of its id.
        pub include_chargestation: bool,
        /// Put the whole connector in place of its id.
        pub include_connector: bool,
        /// Put the whole user in place of its id.
        pub include_user: bool,
    }
}

impl SessionFilter {
    /// What is put in place of ids.
    pub(super) const fn includes(&self) -> ChargingIncludes {
        let Self { include_chargestation, include_connector, include_user, .. } = *self;
        ChargingIncludes { include_chargestation, include_connector, include_user }
    }
}
