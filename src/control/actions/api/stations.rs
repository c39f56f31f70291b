//! Commands to whole stations.

use actix_web::{HttpResponse, post, web};
use serde_json::{Map, Value, json};

use super::target::{Target, Wait, shown};
use crate::control::actions::commands::*;
use crate::control::actions::model::ActionView;
use crate::control::actions::performer::Performer;
use crate::control::actions::security::*;
use crate::events::ActionKind;
use crate::http::caller::{WriteOcpp, WriteStations};
use crate::http::docs::CommandErrors;
use crate::http::envelope::Reply;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Ctx, PathId, Query};
use crate::people::tokens::{self, OfflineCard};
use crate::sites::stations::link::{self, StationCommand};
use kernel::Protocol;
use kernel::StationId;

/// Adds these endpoints.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(reset_chargestation)
        .service(trigger_message)
        .service(change_chargestation_availability)
        .service(set_charging_profile)
        .service(clear_charging_profile)
        .service(get_composite_schedule)
        .service(clear_cache)
        .service(send_local_list)
        .service(get_local_list_version)
        .service(update_firmware)
        .service(get_diagnostics)
        .service(transfer_data)
        .service(get_log)
        .service(extended_trigger_message)
        .service(install_certificate)
        .service(delete_certificate)
        .service(get_installed_certificate_ids)
        .service(signed_update_firmware)
        .service(send_ocpp);
}

station_commands! {
    /// Asks a station to send a message now.
    trigger_message "/chargestations/{id}/trigger_message" StationTriggerMessage (TriggerRequest) wait false WriteStations;
    /// Puts a station or one of its connectors into or out of use.
    change_chargestation_availability "/chargestations/{id}/change_availability" StationChangeAvailability
        (AvailabilityRequest) wait false WriteStations;
    /// Installs a charging profile in the protocol's own form.
    set_charging_profile "/chargestations/{id}/set_charging_profile" StationSetChargingProfile
        (ChargingProfileRequest) wait false WriteStations;
    /// Removes charging profiles.
    clear_charging_profile "/chargestations/{id}/clear_charging_profile" StationClearChargingProfile
        (ClearProfileRequest) wait false WriteStations;
    /// Asks which limits will apply.
    get_composite_schedule "/chargestations/{id}/get_composite_schedule" StationGetCompositeSchedule
        (CompositeScheduleRequest) wait false WriteStations;
    /// Asks for an upload of diagnostics.
    get_diagnostics "/chargestations/{id}/get_diagnostics" StationGetDiagnostics
        (DiagnosticsRequest) wait false WriteStations;
    /// Asks for an upload of the security log or of diagnostics (OCPP 1.6 security whitepaper).
    get_log "/chargestations/{id}/get_log" StationGetLog (LogRequest) wait false WriteStations;
    /// Asks a station to send a message now, also one of the security whitepaper.
    extended_trigger_message "/chargestations/{id}/extended_trigger_message" StationExtendedTriggerMessage
        (ExtendedTriggerRequest) wait false WriteStations;
    /// Installs a root certificate that a station shall trust.
    install_certificate "/chargestations/{id}/install_certificate" StationInstallCertificate
        (InstallCertificateRequest) wait false WriteStations;
    /// Deletes a root certificate from a station.
    delete_certificate "/chargestations/{id}/delete_certificate" StationDeleteCertificate
        (DeleteCertificateRequest) wait false WriteStations;
    /// Asks which root certificates a station trusts; waits for the answer unless asked not to.
    get_installed_certificate_ids "/chargestations/{id}/get_installed_certificate_ids" StationGetInstalledCertificateIds
        (InstalledCertificatesRequest) wait true WriteStations;
    /// Asks a station to install firmware whose signature it verifies.
    signed_update_firmware "/chargestations/{id}/signed_update_firmware" StationSignedUpdateFirmware
        (SignedFirmwareRequest) wait false WriteStations;
    /// Sends whatever the vendor agreed on.
    transfer_data "/chargestations/{id}/data_transfer" StationDataTransfer (DataTransferRequest) wait false WriteStations;
    /// Sends any OCPP action with its own payload and answers what the station said.
    send_ocpp "/chargestations/{id}/ocpp" StationOcpp (RawRequest) wait true WriteOcpp;
}

/// Restarts a station; waits for its answer unless asked not to.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    request_body = ResetRequest, responses((status = OK, body = Reply<ActionView>), CommandErrors))]
#[post("/chargestations/{id}/reset")]
async fn reset_chargestation(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
    Body(request): Body<ResetRequest>,
) -> ApiResult<HttpResponse> {
    let target = Target::station(&caller, &ctx, id).await?;
    if !request.kind.fits(target.station.protocol) {
        let message = format!("{} is not a reset of {}", request.kind, target.station.protocol);
        return Err(ApiError::field("type", "invalid", message));
    }
    if request.evse_id.is_some() && matches!(request.kind, ResetType::Hard | ResetType::Soft) {
        let message = "the station restarts as a whole";
        return Err(ApiError::field("evseId", "invalid", message));
    }
    let command = StationCommand::Reset {
        hard: matches!(request.kind, ResetType::Hard | ResetType::Immediate),
        evse: request.evse_id,
    };
    let data = json!({
        "type": request.kind, "evseId": request.evse_id, "meta_data": request.meta_data
    });
    target.command(&performer, ActionKind::StationReset, data, command, query.wait.unwrap_or(true)).await
}

/// Clears the authorization cache of a station.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    responses((status = OK, body = Reply<ActionView>), CommandErrors))]
#[post("/chargestations/{id}/clear_cache")]
async fn clear_cache(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
) -> ApiResult<HttpResponse> {
    let target = Target::station(&caller, &ctx, id).await?;
    target
        .command(
            &performer,
            ActionKind::StationClearCache,
            json!({}),
            StationCommand::ClearCache,
            query.wait.unwrap_or(false),
        )
        .await
}

/// Sends a station the tokens that may charge while it is offline: those of the body, or all of your organization.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    request_body = LocalListRequest, responses((status = OK, body = Reply<ActionView>), CommandErrors))]
#[post("/chargestations/{id}/send_local_list")]
async fn send_local_list(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
    Body(request): Body<LocalListRequest>,
) -> ApiResult<HttpResponse> {
    let target = Target::station(&caller, &ctx, id).await?;
    let (organization, now) = (caller.organization(), ctx.clock.now());
    let full = request.update_type != Some(UpdateType::Differential);
    let entries: Vec<Value> = match request.entries {
        Some(entries) => entries.into_iter().map(|entry| entry.0).collect(),
        None if full => {
            let protocol = target.station.protocol;
            let longest = protocol.longest_card();
            let known = ctx.db.read(move |conn| tokens::offline_cards(conn, organization, longest, now));
            let cards = known.await?;
            let entry = |card| local_list_entry(card, protocol);
            cards.iter().map(entry).collect()
        }
        None => Vec::new(),
    };
    let version = request.version.unwrap_or_else(|| i32::try_from(now.unix_seconds()).unwrap_or(i32::MAX));
    let data = json!({"listVersion": version, "updateType": request.update_type, "entries": entries.len()});
    let command = StationCommand::SendLocalList { version, full, entries };
    let wait = query.wait.unwrap_or(false);
    target.command(&performer, ActionKind::StationSendLocalList, data, command, wait).await
}

/// The entry in the form of OCPP 1.6; where types of tokens are known, with that.
fn local_list_entry(card: &OfflineCard, protocol: Protocol) -> Value {
    let mut info = Map::new();
    if let Some(end) = card.expires_at {
        info.insert("expiryDate".to_owned(), json!(end));
    }
    if let Some(group) = &card.parent_group {
        info.insert("parentIdTag".to_owned(), json!(group));
    }
    let status = if card.may_charge { "Accepted" } else { "Blocked" };
    info.insert("status".to_owned(), json!(status));
    match protocol {
        Protocol::V16 => json!({"idTag": card.id_tag, "idTagInfo": info}),
        _ => json!({"idTag": card.id_tag, "idTagInfo": info, "type": card.kind}),
    }
}

/// Asks for the version of the station's list of tokens.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    responses((status = OK, body = Reply<ActionView>), CommandErrors))]
#[post("/chargestations/{id}/get_local_list_version")]
async fn get_local_list_version(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
) -> ApiResult<HttpResponse> {
    let target = Target::station(&caller, &ctx, id).await?;
    let wait = query.wait.unwrap_or(false);
    target
        .command(
            &performer,
            ActionKind::StationGetLocalListVersion,
            json!({}),
            StationCommand::GetLocalListVersion,
            wait,
        )
        .await
}

/// Asks a station to install firmware.
#[utoipa::path(tag = "chargestations", params(("id" = StationId, Path, description = "The station"), Wait),
    request_body = FirmwareRequest, responses((status = ACCEPTED, body = Reply<ActionView>), CommandErrors))]
#[post("/chargestations/{id}/update_firmware")]
async fn update_firmware(
    caller: Caller<WriteStations>,
    ctx: Ctx,
    performer: web::Data<Performer>,
    PathId(id): PathId<StationId>,
    Query(query): Query<Wait>,
    Body(request): Body<FirmwareRequest>,
) -> ApiResult<HttpResponse> {
    let target = Target::station(&caller, &ctx, id).await?;
    let command = StationCommand::UpdateFirmware(link::UpdateFirmware {
        location: request.location.into(),
        retrieve_at: request.retrieve_date.unwrap_or_else(|| ctx.clock.now()),
        retries: request.retries,
        retry_interval: request.retry_interval,
    });
    let data = shown(&command);
    target.command(&performer, ActionKind::StationUpdateFirmware, data, command, query.wait.unwrap_or(false)).await
}
