//! Who the station is, and whose card was held to it.

use super::{Call, Effect, Handled, tell_station};
use crate::db::StoreResult;
use crate::events::EventKind;
use crate::kernel::Timestamp;
use crate::ocpp::connections::State;
use crate::ocpp::text::{Exact, Label};
use crate::ocpp::v16::common::{Authorization as WireStatus, IdTagInfo};
use crate::ocpp::v16::{authorize, boot_notification};
use crate::stations::link::SignalKind;
use crate::stations::{self, BootInfo, Registration};
use crate::tokens::{self, Authorization, AuthorizationStatus};

/// Seconds after which a station that is not accepted may try again.
const TRY_AGAIN_SECONDS: u32 = 60;

pub(super) async fn boot_notification(
    call: Call<'_>,
    state: &State,
    request: boot_notification::Request,
) -> Handled<boot_notification::Response> {
    let boot_info = boot_info(request);
    let (organization, station, moment) =
        (call.peer.organization, call.peer.station, call.moment());
    let base = call.gateway.context.websocket_url.clone();
    let stored = call
        .gateway
        .context
        .db
        .write(move |conn| -> StoreResult<Registration> {
            let row = stations::find_station(conn, organization, station)?;
            stations::save_boot(conn, station, &boot_info)?;
            tell_station(
                conn,
                &moment,
                (organization, station),
                EventKind::StationBooted,
                &base,
            )?;
            Ok(row.registration)
        });
    let registration = stored.await?;
    state.registered(registration);
    let (status, interval, effects) = match registration {
        Registration::Accepted => (
            boot_notification::Registration::Accepted,
            call.gateway.settings.heartbeat_seconds,
            vec![Effect::Tell(SignalKind::Booted)],
        ),
        Registration::Pending => (
            boot_notification::Registration::Pending,
            TRY_AGAIN_SECONDS,
            Vec::new(),
        ),
        Registration::Rejected => (
            boot_notification::Registration::Rejected,
            TRY_AGAIN_SECONDS,
            Vec::new(),
        ),
    };
    Ok((
        boot_notification::Response {
            status,
            current_time: call.now,
            interval,
        },
        effects,
    ))
}

fn boot_info(request: boot_notification::Request) -> BootInfo {
    fn text<const MAX: usize>(label: Option<Label<MAX>>) -> Option<String> {
        label.map(String::from).filter(|text| !text.is_empty())
    }
    BootInfo {
        charge_point_vendor: Some(request.charge_point_vendor.into()),
        charge_point_model: Some(request.charge_point_model.into()),
        charge_point_serial_number: text(request.charge_point_serial_number),
        charge_box_serial_number: text(request.charge_box_serial_number),
        firmware_version: text(request.firmware_version),
        iccid: text(request.iccid),
        imsi: text(request.imsi),
        meter_type: text(request.meter_type),
        meter_serial_number: text(request.meter_serial_number),
    }
}

pub(super) async fn authorize(
    call: Call<'_>,
    request: authorize::Request,
) -> Handled<authorize::Response> {
    let (organization, now, tag) = (
        call.peer.organization,
        call.now,
        String::from(request.id_tag),
    );
    let known = call
        .gateway
        .context
        .db
        .read(move |conn| tokens::authorize(conn, organization, &tag, now))
        .await?;
    Ok((
        authorize::Response {
            id_tag_info: id_tag_info(&known, now),
        },
        Vec::new(),
    ))
}

/// What a station is told of a card.
pub(super) fn id_tag_info(known: &Authorization, now: Timestamp) -> IdTagInfo {
    let status = match known.status {
        AuthorizationStatus::Accepted => WireStatus::Accepted,
        AuthorizationStatus::Blocked => WireStatus::Blocked,
        AuthorizationStatus::Expired => WireStatus::Expired,
        AuthorizationStatus::Invalid => WireStatus::Invalid,
    };
    IdTagInfo {
        expiry_date: known.expires_at.filter(|end| *end > now),
        parent_id_tag: known
            .parent_group
            .as_ref()
            .and_then(|group| Exact::new(group.as_str()).ok()),
        status,
    }
}
