//! Who the station is, and whose card was presented to it.

use super::{Call, Effect};
use crate::charging::sessions::{self, Presented};
use crate::events::EventKind;
use crate::gateway::station_connection::{record_station_change, record_station_event};
use crate::people::tokens::Authorization;
use crate::sites::stations::link::SignalKind;
use crate::sites::stations::{self, BootInfo, Registration};
use crate::store::StoreResult;
use kernel::{OrganizationId, StationId};
use ocpp::CallError;
use ocpp::text::Label;

/// Seconds after which a station that is not accepted may try again.
const TRY_AGAIN_SECONDS: u32 = 60;

/// What a boot is answered.
pub struct Welcome {
    /// Whether the station is welcome.
    pub registration: Registration,
    /// Seconds between heartbeats when it is, else until it may try again.
    pub interval: u32,
    /// What follows.
    pub effects: Vec<Effect>,
}

/// Records what a station says of itself.
pub async fn boot(call: Call<'_>, boot_info: BootInfo) -> Result<Welcome, CallError> {
    let (organization, station, moment) = (call.connection.organization, call.connection.station, call.moment());
    let base = call.gateway.context.websocket_url.clone();
    let heartbeat_seconds = call.gateway.settings.heartbeat_seconds;
    let stored = call.gateway.context.db.write(move |conn| -> StoreResult<Registration> {
        let row = stations::find_station(conn, organization, station)?;
        let heartbeat = (row.registration == Registration::Accepted).then_some(heartbeat_seconds);
        stations::save_boot(conn, station, &boot_info, heartbeat, moment.now)?;
        // Another device, or other firmware, is a change of the station; that it booted is none.
        let is_changed = row.boot_info.0 != boot_info;
        let recorded = if is_changed { record_station_change } else { record_station_event };
        recorded(conn, &moment, (organization, station), EventKind::StationBooted, &base)?;
        Ok(row.registration)
    });
    let registration = stored.await?;
    call.state.registered(registration);
    let (interval, effects) = match registration {
        Registration::Accepted => (heartbeat_seconds, vec![Effect::Notify(SignalKind::Booted)]),
        Registration::Pending | Registration::Rejected => (TRY_AGAIN_SECONDS, Vec::new()),
    };
    Ok(Welcome { registration, interval, effects })
}

/// What a station said, where it said anything.
pub fn said<const MAX: usize, const FORMER: usize>(label: Option<Label<MAX, FORMER>>) -> Option<String> {
    label.map(String::from).filter(|text| !text.is_empty())
}

/// Whether a card may charge; an unknown one is reported.
pub async fn authorize(call: Call<'_>, card: String) -> Result<Authorization, CallError> {
    let owner = (call.connection.organization, call.connection.station);
    let (now, moment) = (call.now, call.moment());
    let db = &call.gateway.context.db;
    let asked = card.clone();
    let known = db.read(move |conn| sessions::judge(conn, shown(owner, &asked), now));
    let known = known.await?;
    if known.is_unknown {
        let token = known.clone();
        let record =
            db.write(move |conn| sessions::record_unknown_card(conn, &moment, shown(owner, &card), &token, None));
        record.await?;
    }
    Ok(known)
}

/// A card that is shown to a station, to begin or to end something.
const fn shown((organization, station): (OrganizationId, StationId), id_tag: &str) -> Presented<'_> {
    Presented { organization, station, begins: None, id_tag }
}
