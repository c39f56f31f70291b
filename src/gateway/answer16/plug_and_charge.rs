//! Plug & Charge over OCPP 1.6: messages of OCPP 2.0.1 in a DataTransfer, as the OCA has them in its application note "Using
//! ISO 15118 Plug & Charge with OCPP 1.6" (2020-09-16). They are answered by what answers OCPP 2.0.1.

use serde_json::{Value, json};

use crate::gateway::answer::{Call, Handled};
use crate::gateway::answer2;
use crate::gateway::dispatch::deviation_name;
use kernel::{Protocol, Timestamp};
use ocpp::text::Exact;
use ocpp::v16::DataTransferStatus;
use ocpp::v16::data_transfer::{Request, Response};
use ocpp::{CallError, Decoded, ErrorCode, v2};

/// The vendor that stands for the note (§2.2).
const VENDOR: &str = "org.openchargealliance.iso15118pnc";
/// What stations send of it.
const FROM_STATION: [&str; 4] = ["Authorize", "Get15118EVCertificate", "GetCertificateStatus", "SignCertificate"];
/// What answers of 2.0.1 have and those of the note have not (§6, §7.4): a station may refuse an answer with more in it than
/// it knows.
const NOT_IN_THE_NOTE: [&str; 2] = ["statusInfo", "groupIdToken"];

/// Answers the messages of the note; of other vendors and other messages, that nobody knows them.
pub(super) async fn data_transfer(call: Call<'_>, request: Request) -> Handled<Response> {
    if !request.vendor_id.as_str().eq_ignore_ascii_case(VENDOR) {
        return Ok((without_data(DataTransferStatus::UnknownVendorId), Vec::new()));
    }
    let message = request.message_id.as_ref().map_or("", Exact::as_str);
    let Some(action) = FROM_STATION.into_iter().find(|action| action.eq_ignore_ascii_case(message)) else {
        return Ok((without_data(DataTransferStatus::UnknownMessageId), Vec::new()));
    };
    let Decoded { value, deviations } = match read(action, request.data.as_deref().unwrap_or_default(), call.now) {
        Ok(decoded) => decoded,
        Err(error) => {
            let (station, error) = (call.connection.station, error.description);
            tracing::info!(%station, action, error, "rejected what a DataTransfer had in it");
            return Ok((without_data(DataTransferStatus::Rejected), Vec::new()));
        }
    };
    let names = deviations.iter().map(|deviation| format!("data.{}", deviation_name(deviation)));
    call.connection.note(call.gateway, names.collect()).await;
    let (answer, effects) = answer2::handle(call, value).await?;
    Ok((Response { status: DataTransferStatus::Accepted, data: Some(as_the_note_has_it(&answer)) }, effects))
}

const fn without_data(status: DataTransferStatus) -> Response {
    Response { status, data: None }
}

/// The message of 2.0.1 that a text holds.
fn read(action: &str, data: &str, now: Timestamp) -> Result<Decoded<v2::Incoming>, CallError> {
    let unreadable = |error: serde_json::Error| CallError::new(ErrorCode::FormationViolation, error.to_string());
    let mut message: Value = serde_json::from_str(data).map_err(unreadable)?;
    complete(action, &mut message);
    let payload = serde_json::value::to_raw_value(&message).map_err(unreadable)?;
    v2::Incoming::decode(action, &payload, now, Protocol::V201)
}

/// Says what 2.0.1 wants and the note leaves out, because here it can be one thing only, whatever a station says: tokens are
/// contracts (§7.3: nothing but the identifier, which some stations send as a text and some as an object), certificates those for
/// cars (§2.3).
fn complete(action: &str, message: &mut Value) {
    let Some(fields) = message.as_object_mut() else { return };
    match action {
        "Authorize" => {
            let Some(token) = fields.get_mut("idToken") else { return };
            if token.is_string() {
                *token = json!({"idToken": token.take()});
            }
            if let Some(token) = token.as_object_mut() {
                token.insert("type".to_owned(), v2::IdTokenKind::EMAID.as_str().into());
            }
        }
        "SignCertificate" => {
            let kind = v2::CertificateSigningUse::V2GCertificate;
            fields.insert("certificateType".to_owned(), kind.as_str().into());
        }
        _ => {}
    }
}

/// An answer of 2.0.1 with nothing in it that the note does not have.
fn as_the_note_has_it(answer: &str) -> String {
    let mut answer: Value = serde_json::from_str(answer).unwrap_or_default();
    leave_out(&mut answer);
    answer.to_string()
}

fn leave_out(value: &mut Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| !NOT_IN_THE_NOTE.contains(&name.as_str()));
        fields.values_mut().for_each(leave_out);
    }
}
