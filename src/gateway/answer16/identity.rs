//! Who the station is, and whose card was presented to it.

use crate::gateway::answer::arrival::{self, said};
use crate::gateway::answer::{Call, Handled};
use crate::people::tokens::{Authorization, AuthorizationStatus};
use crate::sites::stations::{BootInfo, Registration};
use ocpp::text::Exact;
use ocpp::v16::common::{Authorization as WireStatus, IdTagInfo};
use ocpp::v16::{RegistrationStatus, authorize, boot_notification};

pub(super) async fn boot_notification(
    call: Call<'_>,
    request: boot_notification::Request,
) -> Handled<boot_notification::Response> {
    let welcome = arrival::boot(call, boot_info(request)).await?;
    let status = match welcome.registration {
        Registration::Accepted => RegistrationStatus::Accepted,
        Registration::Pending => RegistrationStatus::Pending,
        Registration::Rejected => RegistrationStatus::Rejected,
    };
    let response = boot_notification::Response { status, current_time: call.now, interval: welcome.interval };
    Ok((response, welcome.effects))
}

fn boot_info(request: boot_notification::Request) -> BootInfo {
    BootInfo {
        charge_point_vendor: said(request.charge_point_vendor.0),
        charge_point_model: said(request.charge_point_model.0),
        charge_point_serial_number: said(request.charge_point_serial_number),
        charge_box_serial_number: said(request.charge_box_serial_number),
        firmware_version: said(request.firmware_version),
        iccid: said(request.iccid),
        imsi: said(request.imsi),
        meter_type: said(request.meter_type),
        meter_serial_number: said(request.meter_serial_number),
    }
}

pub(super) async fn authorize(call: Call<'_>, request: authorize::Request) -> Handled<authorize::Response> {
    let known = arrival::authorize(call, request.id_tag.into()).await?;
    let id_tag_info = id_tag_info(call, &known);
    Ok((authorize::Response { id_tag_info }, Vec::new()))
}

/// What a station is answered about a card.
pub(super) fn id_tag_info(call: Call<'_>, known: &Authorization) -> IdTagInfo {
    let status = match known.status {
        AuthorizationStatus::Accepted => WireStatus::Accepted,
        AuthorizationStatus::Blocked => WireStatus::Blocked,
        AuthorizationStatus::Expired => WireStatus::Expired,
        AuthorizationStatus::Invalid => WireStatus::Invalid,
        AuthorizationStatus::Concurrent => WireStatus::ConcurrentTx,
    };
    IdTagInfo {
        expiry_date: call.until(known.expires_at),
        parent_id_tag: known.parent_group.as_ref().and_then(|group| Exact::new(group.as_str()).ok()),
        status,
    }
}
