//! Who the station is, and what was presented to it.

use crate::gateway::answer::arrival::{self, said};
use crate::gateway::answer::{Call, Handled, certificates};
use crate::gateway::commands::id_token;
use crate::people::tokens;
use crate::sites::stations::{BootInfo, Registration};
use ocpp::v2::*;

pub(super) async fn boot_notification(
    call: Call<'_>,
    request: boot_notification::Request,
) -> Handled<boot_notification::Response> {
    let welcome = arrival::boot(call, boot_info(request.charging_station)).await?;
    let response = boot_notification::Response {
        current_time: call.now,
        interval: i64::from(welcome.interval),
        status: match welcome.registration {
            Registration::Accepted => RegistrationStatus::Accepted,
            Registration::Pending => RegistrationStatus::Pending,
            Registration::Rejected => RegistrationStatus::Rejected,
        },
        status_info: None,
    };
    Ok((response, welcome.effects))
}

fn boot_info(station: ChargingStation) -> BootInfo {
    let (iccid, imsi) = match station.modem {
        Some(modem) => (modem.iccid, modem.imsi),
        None => (None, None),
    };
    BootInfo {
        charge_point_vendor: Some(station.vendor_name.into()),
        charge_point_model: Some(station.model.into()),
        charge_point_serial_number: said(station.serial_number),
        firmware_version: said(station.firmware_version),
        iccid: said(iccid),
        imsi: said(imsi),
        ..BootInfo::default()
    }
}

pub(super) async fn authorize(call: Call<'_>, request: authorize::Request) -> Handled<authorize::Response> {
    let by_contract = is_contract(&request.id_token);
    let by_button = request.id_token.r#type == IdTokenKind::NoAuthorization;
    let mut known = match by_button {
        true => tokens::Authorization::without_card(tokens::AuthorizationStatus::Accepted), // C02.FR.02
        false => arrival::authorize(call, request.id_token.id_token.into()).await?,
    };
    refuse_unverified(by_contract, &mut known);
    // C07: a car that shows its certificate, or hashes of it, learns that nobody here could look at it.
    let shown = request.certificate.is_some() || request.iso15118_certificate_hash_data.is_some();
    let response = authorize::Response {
        id_token_info: id_token_info(call, &known),
        certificate_status: (by_contract && shown).then_some(AuthorizeCertificateStatus::NoCertificateAvailable),
        allowed_energy_transfer: None,
        tariff: None,
    };
    Ok((response, Vec::new()))
}

/// Whether a token is the contract of a car (ISO 15118).
pub(super) fn is_contract(token: &IdToken) -> bool {
    token.r#type == IdTokenKind::EMAID
}

/// A contract counts by its certificate, which nobody verifies here, so its id alone is not accepted (C07): whoever knows
/// the id could charge on it.
pub(super) fn refuse_unverified(by_contract: bool, known: &mut tokens::Authorization) {
    if by_contract && known.status == tokens::AuthorizationStatus::Accepted {
        known.status = tokens::AuthorizationStatus::Invalid;
    }
}

/// What a station is answered about a token.
pub(super) fn id_token_info(call: Call<'_>, known: &tokens::Authorization) -> IdTokenInfo {
    use tokens::AuthorizationStatus as Known;
    let group = known.parent_group.as_deref();
    IdTokenInfo {
        cache_expiry_date_time: call.until(known.expires_at),
        charging_priority: None,
        evse_id: None,
        group_id_token: group.and_then(|group| id_token(group).ok()),
        language1: None,
        language2: None,
        personal_message: None,
        status: match known.status {
            Known::Accepted => AuthorizationStatus::Accepted,
            Known::Blocked => AuthorizationStatus::Blocked,
            Known::Expired => AuthorizationStatus::Expired,
            Known::Invalid => AuthorizationStatus::Invalid,
            Known::Concurrent => AuthorizationStatus::ConcurrentTx,
        },
    }
}

/// Signs what proves the station to us; certificates for cars are another authority's.
pub(super) async fn sign_certificate(
    call: Call<'_>,
    request: sign_certificate::Request,
) -> Handled<sign_certificate::Response> {
    let of_station = matches!(request.certificate_type, None | Some(CertificateSigningUse::ChargingStationCertificate));
    let (signed, effects) = if of_station {
        certificates::sign(call, request.csr.as_str(), request.request_id).await?
    } else {
        (false, Vec::new())
    };
    let response = sign_certificate::Response {
        status: if signed { GenericStatus::Accepted } else { GenericStatus::Rejected },
        status_info: None,
    };
    Ok((response, effects))
}
