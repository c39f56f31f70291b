//! Where everything that commands stations meets the gateway: commands and outcomes without a protocol version, and
//! the signals of what stations did.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::broadcast;

use kernel::{
    ConnectorId, Milliamps, Millivolts, OrganizationId, PhaseSet, SessionId, StationId, Timestamp, WattHours, Watts,
};

/// What a station can be asked to do. Actions show it as JSON, `command` being its name.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "command")]
pub enum StationCommand {
    /// Restart, the whole station or one EVSE; softly it lets running transactions end first.
    Reset { hard: bool, evse: Option<i32> },
    /// Let go of a plug.
    UnlockConnector { connector: i32 },
    /// Put a connector, or with 0 the whole station, into or out of use.
    ChangeAvailability { connector: i32, operative: bool },
    /// Send a message now.
    TriggerMessage { message: String, connector: Option<i32> },
    /// Return configuration keys; none means all.
    GetConfiguration { keys: Vec<String> },
    /// Change a configuration key.
    ChangeConfiguration { key: String, value: String },
    /// Forget remembered tokens.
    ClearCache,
    /// Start charging; the station may repeat the number of the request when it does. `token_type` is the type of the token in
    /// OCPP's words, where the token is known.
    StartCharging { connector: Option<i32>, id_tag: String, token_type: Option<&'static str>, request: i64 },
    /// Stop charging.
    StopCharging { transaction: i64 },
    /// Show what a transaction costs so far, with tax, in the currency's major unit.
    #[serde(rename = "TellCost")]
    SendCost { transaction: i64, amount: f64 },
    /// Keep a connector for a token until an instant; the same number again replaces the reservation.
    Reserve(Reserve),
    /// Keep it no longer.
    CancelReservation { reservation: i64 },
    /// Obey a limit.
    SetLimit(SetLimit),
    /// Obey limits that change with time, below everything that balancing installs.
    SetSchedule(SetSchedule),
    /// Obey a profile in the protocol's own form.
    SetChargingProfile { connector: i32, profile: Value },
    /// Forget profiles that match.
    ClearChargingProfile { id: Option<i32>, connector: Option<i32>, purpose: Option<String>, stack_level: Option<i32> },
    /// Return the limits that will apply.
    GetCompositeSchedule { connector: i32, seconds: i32, in_amps: Option<bool> },
    /// Replace or change the list of tokens that may charge while offline: entries in the form of OCPP 1.6, for a station of
    /// OCPP 2 with the `type` of the token where it is known, or in that of the station's version.
    SendLocalList { version: i32, full: bool, entries: Vec<Value> },
    /// Return the version of that list.
    GetLocalListVersion,
    /// Fetch and install firmware.
    UpdateFirmware(UpdateFirmware),
    /// Upload diagnostics.
    GetDiagnostics(GetDiagnostics),
    /// Upload a log: the security log or diagnostics.
    GetLog(GetLog),
    /// Send a message now, one of the security extension too.
    ExtendedTrigger { message: String, connector: Option<i32> },
    /// Trust a root certificate (PEM).
    InstallCertificate { kind: String, certificate: String },
    /// Trust a root certificate no longer; it is named by its hashes.
    DeleteCertificate { certificate: Value },
    /// Return which root certificates of a kind it trusts.
    GetInstalledCertificates { kind: String },
    /// Use the certificate that it asked for (PEM, its own first), with the number of its request where it had one.
    CertificateSigned { chain: String, request: Option<i64> },
    /// Fetch firmware, verify its signature and install it.
    SignedUpdateFirmware(SignedUpdateFirmware),
    /// Whatever the vendor agreed on.
    DataTransfer { vendor_id: String, message_id: Option<String>, data: Option<String> },
    /// What only stations with a device model know, in the protocol's own form; a report may follow the answer.
    Device { request: DeviceRequest, payload: Value },
    /// Any action of the station's version, with its own payload, checked against its schema.
    Raw { action: String, payload: Value },
}

crate::spelled! {
    /// What only stations with a device model can be asked, by the name of the action.
    pub enum DeviceRequest {
        GetReport = "GetReport",
        GetTransactionStatus = "GetTransactionStatus",
        GetChargingProfiles = "GetChargingProfiles",
        CustomerInformation = "CustomerInformation",
        SetDisplayMessage = "SetDisplayMessage",
        GetDisplayMessages = "GetDisplayMessages",
        ClearDisplayMessage = "ClearDisplayMessage",
        SetVariableMonitoring = "SetVariableMonitoring",
        ClearVariableMonitoring = "ClearVariableMonitoring",
        GetMonitoringReport = "GetMonitoringReport",
        SetMonitoringBase = "SetMonitoringBase",
        SetMonitoringLevel = "SetMonitoringLevel",
        SetDerControl = "SetDERControl",
        GetDerControl = "GetDERControl",
        ClearDerControl = "ClearDERControl",
        RequestBatterySwap = "RequestBatterySwap",
        AfrrSignal = "AFRRSignal",
    }
}

/// A connector that is kept for a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reserve {
    /// The connector; 0 is any of the station.
    pub connector: i32,
    /// Our number of the reservation.
    pub reservation: i64,
    /// The token it is kept for.
    pub id_tag: String,
    /// The type of the token in OCPP's words, where the token is known.
    pub token_type: Option<&'static str>,
    /// The group of tokens it is kept for, too.
    pub parent_group: Option<String>,
    /// Until when.
    pub until: Timestamp,
}

/// Firmware to fetch and install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UpdateFirmware {
    /// Its URL.
    pub location: String,
    /// When to fetch it.
    pub retrieve_at: Timestamp,
    /// How often to try.
    pub retries: Option<i32>,
    /// Seconds between two tries.
    pub retry_interval: Option<i32>,
}

/// Firmware to fetch, verify and install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedUpdateFirmware {
    /// Its URL.
    pub location: String,
    /// When to fetch it; now where it is not said.
    pub retrieve_at: Option<Timestamp>,
    /// When to install it; once it is fetched where it is not said.
    pub install_at: Option<Timestamp>,
    /// The certificate that it was signed with (PEM).
    pub certificate: String,
    /// The signature in base64.
    pub signature: String,
    /// How often to try.
    pub retries: Option<i32>,
    /// Seconds between two tries.
    pub retry_interval: Option<i32>,
    /// The number that status notifications repeat; made where there is none.
    pub request: Option<i32>,
}

/// Diagnostics to upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GetDiagnostics {
    /// The URL to upload them to.
    pub location: String,
    /// How often to try.
    pub retries: Option<i32>,
    /// Seconds between two tries.
    pub retry_interval: Option<i32>,
    /// Nothing older than this.
    pub start_at: Option<Timestamp>,
    /// Nothing younger than this.
    pub stop_at: Option<Timestamp>,
}

/// A log to upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GetLog {
    /// Whether it is the security log, or else the diagnostics.
    pub security: bool,
    /// The URL to upload it to.
    pub location: String,
    /// Nothing older than this.
    pub oldest: Option<Timestamp>,
    /// Nothing younger than this.
    pub latest: Option<Timestamp>,
    /// How often to try.
    pub retries: Option<i32>,
    /// Seconds between two tries.
    pub retry_interval: Option<i32>,
    /// The number that status notifications repeat; made where there is none.
    pub request: Option<i32>,
}

/// A limit of one connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetLimit {
    /// The connector; 0 is the whole station.
    pub connector: i32,
    /// What may be drawn.
    pub limit: Watts,
    /// What kind of limit it is, which decides where it is installed.
    pub purpose: LimitPurpose,
    /// Voltage for conversion to amps.
    pub voltage: Millivolts,
    /// Phases for conversion to amps: those that its car uses.
    pub phases: PhaseSet,
    /// Phases that the car may use.
    pub offered: PhaseSet,
    /// The transaction that runs there, for stations that take limits of a transaction only.
    pub transaction: Option<i64>,
    /// Whether its station has no other connector, so that a limit of the whole station is one of the connector.
    pub sole: bool,
    /// Whether it is sent in amps; AC stations convert watts badly, so usually it is.
    pub in_amps: bool,
    /// How long it holds without being refreshed; none means for ever.
    pub duration_seconds: Option<u32>,
    /// Whether it lowers what the station may draw: such limits overtake everything else in its queue.
    pub lowers: bool,
    /// Whether the meter shows that limits of the kind that is usually said are not obeyed, though they were confirmed: a live
    /// limit is then said as one of the running transaction. What was taken once is remembered, so once is enough.
    pub escalate: bool,
}

/// Limits of one connector that change with time; the last one holds on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetSchedule {
    /// The connector.
    pub connector: i32,
    /// When the first one begins.
    pub start: Timestamp,
    /// What may be drawn from so many seconds after the start.
    pub steps: Vec<(u32, Watts)>,
    /// Voltage for conversion to amps.
    pub voltage: Millivolts,
    /// Phases for conversion to amps.
    pub phases: PhaseSet,
    /// Whether it is sent in amps.
    pub in_amps: bool,
}

/// What a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LimitPurpose {
    /// Balancing: the live limit of a connector.
    Live,
    /// Balancing: what applies when this server is not heard of.
    Fallback,
    /// A limit set by API that holds until it is cleared.
    Default,
    /// A limit of one transaction.
    Transaction(i64),
}

/// How a command ended when the station answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Whether the station agreed.
    pub accepted: bool,
    /// Its answer's status, where it has one.
    pub status: Option<String>,
    /// Its whole answer.
    pub data: Value,
    /// For a live limit: the station takes it only in a variant that does not run out, so it never expires unless it is
    /// replaced.
    pub never_expires: bool,
    /// For a live limit: the station takes it for a transaction only, and forgets it with that.
    pub ends_with_transaction: bool,
    /// For a limit: the station takes watts, so what it makes of them depends on the phases that it takes the car to use.
    pub in_watts: bool,
    /// What the station says that it enforces now, where it was asked.
    pub enforced: Option<Enforced>,
    /// For a limit of 0 that was refused: the station takes limits, and not this one, so there is no use in asking again.
    pub refuses_zero: bool,
}

impl Outcome {
    /// The outcome of an answer; what more there is to a limit is noted later.
    pub const fn answered(accepted: bool, status: Option<String>, data: Value) -> Self {
        Self {
            accepted,
            status,
            data,
            never_expires: false,
            ends_with_transaction: false,
            in_watts: false,
            enforced: None,
            refuses_zero: false,
        }
    }

    /// That the station did not agree, in a sentence.
    pub fn refusal(&self) -> String {
        let status = self.status.as_deref().unwrap_or("no");
        format!("The station answered {status}")
    }
}

/// A limit as a station reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforced {
    /// Over all phases.
    Power(Watts),
    /// On each phase.
    Current(Milliamps),
}

/// Why a command has no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is not connected.
    #[error("the charge station is offline")]
    Offline,
    /// The socket went away while it was asked.
    #[error("the connection was lost before the station answered")]
    Dropped,
    /// It did not answer in time.
    #[error("the station did not answer in time")]
    Silent,
    /// It answered with an error; where it was not even asked, because it would have to refuse, there are no details.
    #[error("the station answered {}", error_in_words(code, description))]
    Refused {
        /// In the station's own spelling.
        code: String,
        description: String,
        details: Option<Map<String, Value>>,
    },
    /// A newer command made this one pointless.
    #[error("a newer command took its place")]
    Superseded,
    /// Too many commands are waiting for this station.
    #[error("too many commands are waiting for this station")]
    QueueFull,
    /// The command cannot be said in the station's protocol, or its payload breaks the protocol's rules.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
}

impl LinkError {
    /// What is kept of it with an action: the sentence, and what the station said word for word.
    pub fn as_data(&self) -> Value {
        let sentence = self.to_string();
        match self {
            Self::Refused { code, description, details: Some(details) } => {
                json!({"error": sentence, "code": code, "description": description, "details": details})
            }
            _ => json!({"error": sentence}),
        }
    }

    /// Whether the station itself said it.
    pub const fn is_of_station(&self) -> bool {
        matches!(self, Self::Refused { details: Some(_), .. })
    }
}

/// `NotSupported: no cache here`; stations may leave out either, or both.
fn error_in_words(code: &str, description: &str) -> String {
    match (code, description) {
        ("", "") => "with an error that says nothing".to_owned(),
        (one, "") | ("", one) => one.to_owned(),
        (code, description) => format!("{code}: {description}"),
    }
}

/// The way to connected stations. A trait because a cluster reaches them through other nodes, and tests without any.
#[async_trait]
pub trait StationLink: Send + Sync {
    /// Whether its socket is open here or on another node.
    fn is_online(&self, station: StationId) -> bool;
    /// Sends a command and waits for the answer.
    async fn send(&self, station: StationId, command: StationCommand) -> Result<Outcome, LinkError>;
    /// Closes its socket; false when it had none.
    fn disconnect(&self, station: StationId) -> bool;
}

/// The link as it is passed around.
pub type SharedLink = Arc<dyn StationLink>;

/// Something a station did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// Whose it is.
    pub organization: OrganizationId,
    /// The station.
    pub station: StationId,
    /// What it did.
    pub kind: SignalKind,
}

/// What a station did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalKind {
    /// Opened its socket.
    Connected,
    /// Lost its socket.
    Disconnected,
    /// Booted.
    Booted,
    /// Showed how far its clock is from ours, so that limits must be said again in its time.
    ClockLearnt,
    /// Reported how a connector is doing.
    Status(ConnectorId),
    /// Started a session.
    SessionStarted(ConnectorId, SessionId),
    /// Ended a session.
    SessionEnded(ConnectorId, SessionId),
    /// Reported meter values.
    Metered(ConnectorId, Shown),
    /// Reported the charging needs of a car: when it leaves, how much it needs.
    Wished(ConnectorId),
    /// Spoke of a connector that is not set up, by its number at the station (OCPP 2: that of its EVSE).
    Stray(u32, Stray),
    /// Reported an external limit, or its end.
    ExternalLimit,
    /// Was changed by API: its limits, members or connectors.
    Reconfigured,
}

/// What a station's meter showed at one connector, as it was reported: not checked against anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// When it was received. The station's own clock may be wrong, so its times order nothing here.
    pub at: Timestamp,
    /// When it was read, as far as the station's clock is believed.
    pub reported_at: Timestamp,
    /// The power drawn.
    pub power: Option<Watts>,
    /// The energy register.
    pub register: Option<WattHours>,
    /// The current of each phase, where all three were reported.
    pub currents: Option<[Milliamps; 3]>,
    /// The largest current of a phase.
    pub current: Option<Milliamps>,
    /// It was taken at the end of a transaction: it says what was drawn until then.
    pub is_last: bool,
}

/// What happens at a connector that is not set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// A car may draw there.
    Occupied,
    /// Nobody draws there.
    Free,
    /// Its meter showed this.
    Metered(Shown),
}

/// Signals that a slow listener may fall behind by; it then plans everything anew.
const SIGNALS_KEPT: usize = 8_192;

/// Sends signals to everybody who listens.
#[derive(Debug, Clone)]
pub struct Signals(broadcast::Sender<Signal>);

impl Default for Signals {
    fn default() -> Self {
        Self(broadcast::channel(SIGNALS_KEPT).0)
    }
}

impl Signals {
    /// Sends a signal; nobody listening is fine.
    pub fn notify(&self, signal: Signal) {
        let _ = self.0.send(signal);
    }
    /// Starts to listen.
    pub fn listen(&self) -> broadcast::Receiver<Signal> {
        self.0.subscribe()
    }
}

/// The profile id of a limit set by API, plus the connector's number. Balancing uses other ranges, so that neither
/// replaces the other.
pub const DEFAULT_LIMIT_PROFILE: i32 = 30_000;
/// The profile id of balancing's live limit, plus the connector's number.
pub const LIVE_LIMIT_PROFILE: i32 = 10_000;
/// The profile id of what applies when this server is not heard of, plus the connector's number.
pub const FALLBACK_PROFILE: i32 = 20_000;
/// The profile id of a session's limit set by API, plus the connector's number.
pub const TRANSACTION_LIMIT_PROFILE: i32 = 40_000;
/// The profile id of what is scheduled for an EVSE, plus the connector's number.
pub const SCHEDULE_PROFILE: i32 = 50_000;
