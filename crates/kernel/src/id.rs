//! Identifiers: 12 bytes, shown as 24 hexadecimal characters, sortable by creation time.
//!
//! The layout is MongoDB's ObjectId, because eDRV clients store and compare such strings: 4 bytes of seconds,
//! 5 bytes that differ per process, 3 bytes of a counter. One newtype per noun keeps them from being mixed up.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// The bytes behind every typed identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawId([u8; 12]);

/// A text that is not 24 hexadecimal characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 24 hexadecimal characters")]
pub struct InvalidId;

impl RawId {
    /// The id made of exactly these bytes; used by tests and by the engine's dense fixtures.
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }
    /// Before every id that is made from this second on, and after those made before.
    pub fn first_of(at: Timestamp) -> Self {
        let seconds = u32::try_from(at.unix_seconds().max(0)).unwrap_or(u32::MAX);
        let [a, b, c, d] = seconds.to_be_bytes();
        Self([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0])
    }
    /// The bytes, most significant first, so that their order is the creation order.
    pub const fn as_bytes(&self) -> &[u8; 12] {
        &self.0
    }
}

impl fmt::Display for RawId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0_u8; 24];
        hex::encode_to_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for RawId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RawId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut bytes = [0; 12];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidId)?;
        Ok(Self(bytes))
    }
}

/// Makes identifiers. A trait because tests count instead of drawing random bytes.
pub trait IdSource: Send + Sync {
    /// A fresh id; ids made later, by the same source, sort later.
    fn next_raw(&self, now: Timestamp) -> RawId;
}

/// The instant of a change and the source of its identifiers, as handlers hand them down.
#[derive(Clone)]
pub struct Moment {
    /// When it happens.
    pub now: Timestamp,
    ids: Arc<dyn IdSource>,
}

impl Moment {
    /// This instant, with ids from this source.
    pub fn new(now: Timestamp, ids: Arc<dyn IdSource>) -> Self {
        Self { now, ids }
    }
    /// A fresh id of whatever type is wanted.
    pub fn id<T: From<RawId>>(&self) -> T {
        self.ids.next_raw(self.now).into()
    }
    /// The version after `previous`: now, but never the same instant twice.
    pub fn version_after(&self, previous: Timestamp) -> Timestamp {
        self.now.max(Timestamp::from_micros(previous.micros() + 1))
    }
}

/// The source of tests: the same run makes the same ids.
#[derive(Debug, Default)]
pub struct CountingIds(AtomicU32);

impl IdSource for CountingIds {
    fn next_raw(&self, now: Timestamp) -> RawId {
        compose(now, [0; 5], self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// The id of this second, process and count: the layout above.
pub fn compose(now: Timestamp, process: [u8; 5], count: u32) -> RawId {
    let seconds = u32::try_from(now.unix_seconds()).unwrap_or_default().to_be_bytes();
    let [_, c1, c2, c3] = count.to_be_bytes();
    let [s0, s1, s2, s3] = seconds;
    let [p0, p1, p2, p3, p4] = process;
    RawId([s0, s1, s2, s3, p0, p1, p2, p3, p4, c1, c2, c3])
}

/// Declares one type a noun, with its forms in JSON, the store and the OpenAPI document, and `every_id!`, which hands all
/// their names to another macro.
macro_rules! typed_id {
    (@one $(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(RawId);

        impl $name {
            /// Makes a new one at this instant.
            pub fn new(ids: &dyn IdSource, now: Timestamp) -> Self { Self(ids.next_raw(now)) }
            /// The untyped bytes.
            pub const fn raw(self) -> RawId { self.0 }
        }
        impl From<RawId> for $name { fn from(raw: RawId) -> Self { Self(raw) } }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}({})", stringify!($name), self.0) }
        }
        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> { text.parse().map(Self) }
        }
        impl From<$name> for String { fn from(id: $name) -> String { id.to_string() } }
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> { text.parse() }
        }
        #[cfg(feature = "columns")]
        crate::text_column!($name);
        #[cfg(feature = "schemas")]
        $crate::text_schema!($name, $crate::schemas::id());
    };
    ($dollar:tt $($(#[$meta:meta])* $name:ident)*) => {
        $(typed_id!(@one $(#[$meta])* $name);)*

        /// Hands the names of all types of ids to a macro: `every_id!(columns)` is `columns! { OrganizationId, … }`.
        #[macro_export]
        macro_rules! every_id {
            ($dollar callback:ident) => { $dollar callback! { $($name),* } };
        }
    };
}

typed_id! { $
    /// A customer of this server; every row belongs to one.
    OrganizationId
    /// A key that authenticates an integrator.
    ApiKeyId
    /// Whoever may call the API: the id of a key or of an operator.
    CallerId
    /// What a person who works at the panel is in an organization.
    OperatorId
    /// A person who works at the panel.
    AccountId
    /// A login of an operator at the panel.
    OperatorLoginId
    /// A place with charge stations (Tridens: charging area).
    LocationId
    /// A charge station: the thing that connects over OCPP.
    StationId
    /// An EVSE (Tridens: charger): the part of a station that serves one car at a time.
    EvseId
    /// A connector: cable or socket of an EVSE.
    ConnectorId
    /// A driver.
    UserId
    /// An RFID card or virtual token.
    TokenId
    /// A charging session.
    SessionId
    /// A command that was sent to a station.
    ActionId
    /// A test whether a station does what load management needs.
    AcceptanceTestId
    /// A load-management group.
    GroupId
    /// A charge station's membership in a group.
    GroupStationId
    /// A rate: what charging costs.
    RateId
    /// Rates that change with the hour.
    RateScheduleId
    /// EVSEs that are offered together.
    EvseNetworkId
    /// EVSEs of a network that have the same prices.
    EvseGroupId
    /// Prices that are offered to roaming partners.
    ServiceOfferId
    /// An entry of the event log.
    EventId
    /// A stored balancing plan.
    PlanId
    /// A smart meter, producer, consumer or battery.
    AssetId
    /// A connector that is kept for somebody.
    ReservationId
    /// A schedule of limits that is attached to EVSEs.
    ChargingProfileId
    /// Settings that stations get when they connect.
    TemplateId
    /// A charge that goes before exclusion times.
    PriorityChargeId
    /// A login of a home user at the portal.
    HomeLoginId
    /// An e-mail in the queue.
    EmailId
    /// Where events are sent to.
    WebhookId
    /// An event on its way to a webhook.
    DeliveryId
    /// A line of the audit.
    AuditId
    /// A value that a meter signed.
    EvidenceId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_as_24_hex_characters_and_read_back() {
        let id = SessionId::new(&CountingIds::default(), Timestamp::from_unix_seconds(1_700_000_000));
        let text = id.to_string();
        assert_eq!(text.len(), 24);
        assert_eq!(text.parse(), Ok(id));
    }

    #[test]
    fn ids_sort_by_creation() {
        let ids = CountingIds::default();
        let early = GroupId::new(&ids, Timestamp::from_unix_seconds(10));
        let late = GroupId::new(&ids, Timestamp::from_unix_seconds(11));
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in ["", "12", "zzzzzzzzzzzzzzzzzzzzzzzz", "647578b4caae4a0bbcdf6d1e0"] {
            assert_eq!(wrong.parse::<StationId>(), Err(InvalidId));
        }
    }
}
