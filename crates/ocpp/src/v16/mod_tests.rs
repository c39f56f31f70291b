//! One full example of every action, written and read by us and, as a second opinion, by another implementation.

use ocpp_types::v16 as other;
use ocpp_types::validate::Validate;
use serde_json::value::RawValue;

use super::*;
use crate::action::Request;
use crate::decode::check;
use crate::wire::Wire;
use crate::{Decoded, ErrorCode, decode};
use kernel::Protocol;
use kernel::Timestamp;

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}

/// Reads strictly, finds nothing to complain about, writes the same text with the keys in the same order.
fn round_trip<T: Wire + PartialEq + std::fmt::Debug>(json: &str) {
    let json = &json.replace('@', "\"2026-05-01T08:30:00.000Z\"");
    let Decoded { value, deviations } = decode::<T>(&raw(json), Timestamp::default(), Protocol::V16).expect("valid");
    assert_eq!(deviations, [], "{json}");
    assert_eq!(value.to_json(), *json);
    assert_eq!(check::<T>(&raw(json), Protocol::V16), Ok(()));
}

fn witness<T: serde::de::DeserializeOwned + Validate>(json: &str) {
    let json = &json.replace('@', "\"2026-05-01T08:30:00.000Z\"");
    let value: T = serde_json::from_str(json).expect(json);
    value.validate().expect(json);
}

macro_rules! examples {
    ($($module:ident: $request_type:ident -> $response_type:ident, $request:literal, $response:literal;)*) => {
        #[test]
        fn every_action_reads_and_writes_its_example() {
            $(
                round_trip::<$module::Request>($request);
                round_trip::<$module::Response>($response);
            )*
        }

        #[test]
        fn another_implementation_accepts_what_we_write() {
            $(
                witness::<other::$request_type>($request);
                witness::<other::$response_type>($response);
            )*
        }

        #[test]
        fn every_action_is_checked_by_its_name() {
            $(
                let action = <$module::Request as Request>::ACTION;
                assert_eq!(format!("{action}Request"), stringify!($request_type));
                let faults = check_raw(action, &raw(r#"{"colour":"red"}"#), Protocol::V16).expect_err("faulty");
                assert!(faults.contains(&"colour is not a field of this message".to_owned()), "{faults:?}");
            )*
        }
    };
}

// `@` stands for a time.
examples! {
    authorize: AuthorizeRequest -> AuthorizeResponse,
        r#"{"idTag":"04A1B2C3"}"#,
        r#"{"idTagInfo":{"expiryDate":@,"parentIdTag":"FLEET","status":"Accepted"}}"#;
    boot_notification: BootNotificationRequest -> BootNotificationResponse,
        r#"{"chargePointVendor":"Evenwatt","chargePointModel":"One","chargePointSerialNumber":"CP1","chargeBoxSerialNumber":"CB1","firmwareVersion":"1.0","iccid":"89","imsi":"26","meterType":"MID","meterSerialNumber":"M1"}"#,
        r#"{"status":"Accepted","currentTime":@,"interval":300}"#;
    data_transfer: DataTransferRequest -> DataTransferResponse,
        r#"{"vendorId":"com.example","messageId":"Ping","data":"{}"}"#,
        r#"{"status":"UnknownVendorId","data":"?"}"#;
    diagnostics_status_notification: DiagnosticsStatusNotificationRequest -> DiagnosticsStatusNotificationResponse,
        r#"{"status":"Uploading"}"#,
        r#"{}"#;
    firmware_status_notification: FirmwareStatusNotificationRequest -> FirmwareStatusNotificationResponse,
        r#"{"status":"Installed"}"#,
        r#"{}"#;
    heartbeat: HeartbeatRequest -> HeartbeatResponse,
        r#"{}"#,
        r#"{"currentTime":@}"#;
    log_status_notification: LogStatusNotificationRequest -> LogStatusNotificationResponse,
        r#"{"status":"Uploaded","requestId":7}"#,
        r#"{}"#;
    meter_values: MeterValuesRequest -> MeterValuesResponse,
        r#"{"connectorId":1,"transactionId":42,"meterValue":[{"timestamp":@,"sampledValue":[{"value":"16.1","context":"Sample.Periodic","format":"Raw","measurand":"Current.Import","phase":"L1-N","location":"Outlet","unit":"A"}]}]}"#,
        r#"{}"#;
    security_event_notification: SecurityEventNotificationRequest -> SecurityEventNotificationResponse,
        r#"{"type":"InvalidMessages","timestamp":@,"techInfo":"twice"}"#,
        r#"{}"#;
    sign_certificate: SignCertificateRequest -> SignCertificateResponse,
        r#"{"csr":"-----BEGIN"}"#,
        r#"{"status":"Accepted"}"#;
    signed_firmware_status_notification: SignedFirmwareStatusNotificationRequest -> SignedFirmwareStatusNotificationResponse,
        r#"{"status":"InvalidSignature","requestId":7}"#,
        r#"{}"#;
    start_transaction: StartTransactionRequest -> StartTransactionResponse,
        r#"{"connectorId":1,"idTag":"04A1B2C3","meterStart":1000,"reservationId":5,"timestamp":@}"#,
        r#"{"idTagInfo":{"status":"Accepted"},"transactionId":42}"#;
    status_notification: StatusNotificationRequest -> StatusNotificationResponse,
        r#"{"connectorId":1,"errorCode":"NoError","info":"fine","status":"SuspendedEVSE","timestamp":@,"vendorId":"com.example","vendorErrorCode":"0"}"#,
        r#"{}"#;
    stop_transaction: StopTransactionRequest -> StopTransactionResponse,
        r#"{"idTag":"04A1B2C3","meterStop":2000,"timestamp":@,"transactionId":42,"reason":"EVDisconnected","transactionData":[{"timestamp":@,"sampledValue":[{"value":"2000"}]}]}"#,
        r#"{"idTagInfo":{"status":"ConcurrentTx"}}"#;
    cancel_reservation: CancelReservationRequest -> CancelReservationResponse,
        r#"{"reservationId":5}"#,
        r#"{"status":"Accepted"}"#;
    certificate_signed: CertificateSignedRequest -> CertificateSignedResponse,
        r#"{"certificateChain":"-----BEGIN"}"#,
        r#"{"status":"Rejected"}"#;
    change_availability: ChangeAvailabilityRequest -> ChangeAvailabilityResponse,
        r#"{"connectorId":0,"type":"Inoperative"}"#,
        r#"{"status":"Scheduled"}"#;
    change_configuration: ChangeConfigurationRequest -> ChangeConfigurationResponse,
        r#"{"key":"HeartbeatInterval","value":"300"}"#,
        r#"{"status":"RebootRequired"}"#;
    clear_cache: ClearCacheRequest -> ClearCacheResponse,
        r#"{}"#,
        r#"{"status":"Accepted"}"#;
    clear_charging_profile: ClearChargingProfileRequest -> ClearChargingProfileResponse,
        r#"{"id":7,"connectorId":1,"chargingProfilePurpose":"TxProfile","stackLevel":0}"#,
        r#"{"status":"Unknown"}"#;
    delete_certificate: DeleteCertificateRequest -> DeleteCertificateResponse,
        r#"{"certificateHashData":{"hashAlgorithm":"SHA256","issuerNameHash":"aa","issuerKeyHash":"bb","serialNumber":"01"}}"#,
        r#"{"status":"NotFound"}"#;
    extended_trigger_message: ExtendedTriggerMessageRequest -> ExtendedTriggerMessageResponse,
        r#"{"requestedMessage":"SignChargePointCertificate","connectorId":1}"#,
        r#"{"status":"NotImplemented"}"#;
    get_composite_schedule: GetCompositeScheduleRequest -> GetCompositeScheduleResponse,
        r#"{"connectorId":1,"duration":600,"chargingRateUnit":"A"}"#,
        r#"{"status":"Accepted","connectorId":1,"scheduleStart":@,"chargingSchedule":{"duration":600,"startSchedule":@,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":16.1,"numberPhases":3}],"minChargingRate":6}}"#;
    get_configuration: GetConfigurationRequest -> GetConfigurationResponse,
        r#"{"key":["HeartbeatInterval"]}"#,
        r#"{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"300"}],"unknownKey":["Foo"]}"#;
    get_diagnostics: GetDiagnosticsRequest -> GetDiagnosticsResponse,
        r#"{"location":"ftp://example.com/","retries":3,"retryInterval":60,"startTime":@,"stopTime":@}"#,
        r#"{"fileName":"log.zip"}"#;
    get_installed_certificate_ids: GetInstalledCertificateIdsRequest -> GetInstalledCertificateIdsResponse,
        r#"{"certificateType":"CentralSystemRootCertificate"}"#,
        r#"{"certificateHashData":[{"hashAlgorithm":"SHA512","issuerNameHash":"aa","issuerKeyHash":"bb","serialNumber":"01"}],"status":"Accepted"}"#;
    get_local_list_version: GetLocalListVersionRequest -> GetLocalListVersionResponse,
        r#"{}"#,
        r#"{"listVersion":-1}"#;
    get_log: GetLogRequest -> GetLogResponse,
        r#"{"log":{"remoteLocation":"https://example.com/","oldestTimestamp":@,"latestTimestamp":@},"logType":"SecurityLog","requestId":7,"retries":3,"retryInterval":60}"#,
        r#"{"status":"AcceptedCanceled","filename":"log.zip"}"#;
    install_certificate: InstallCertificateRequest -> InstallCertificateResponse,
        r#"{"certificateType":"ManufacturerRootCertificate","certificate":"-----BEGIN"}"#,
        r#"{"status":"Failed"}"#;
    remote_start_transaction: RemoteStartTransactionRequest -> RemoteStartTransactionResponse,
        r#"{"connectorId":1,"idTag":"04A1B2C3","chargingProfile":{"chargingProfileId":7,"stackLevel":0,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Relative","chargingSchedule":{"chargingRateUnit":"W","chargingSchedulePeriod":[{"startPeriod":0,"limit":11040}]}}}"#,
        r#"{"status":"Rejected"}"#;
    remote_stop_transaction: RemoteStopTransactionRequest -> RemoteStopTransactionResponse,
        r#"{"transactionId":42}"#,
        r#"{"status":"Accepted"}"#;
    reserve_now: ReserveNowRequest -> ReserveNowResponse,
        r#"{"connectorId":1,"expiryDate":@,"idTag":"04A1B2C3","parentIdTag":"FLEET","reservationId":5}"#,
        r#"{"status":"Occupied"}"#;
    reset: ResetRequest -> ResetResponse,
        r#"{"type":"Soft"}"#,
        r#"{"status":"Accepted"}"#;
    send_local_list: SendLocalListRequest -> SendLocalListResponse,
        r#"{"listVersion":2,"localAuthorizationList":[{"idTag":"04A1B2C3","idTagInfo":{"status":"Blocked"}},{"idTag":"05"}],"updateType":"Differential"}"#,
        r#"{"status":"VersionMismatch"}"#;
    set_charging_profile: SetChargingProfileRequest -> SetChargingProfileResponse,
        r#"{"connectorId":1,"csChargingProfiles":{"chargingProfileId":7,"transactionId":42,"stackLevel":0,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Recurring","recurrencyKind":"Daily","validFrom":@,"validTo":@,"chargingSchedule":{"duration":86400,"startSchedule":@,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":16.1,"numberPhases":3},{"startPeriod":60,"limit":0}],"minChargingRate":6.5}}}"#,
        r#"{"status":"NotSupported"}"#;
    signed_update_firmware: SignedUpdateFirmwareRequest -> SignedUpdateFirmwareResponse,
        r#"{"retries":3,"retryInterval":60,"requestId":7,"firmware":{"location":"https://example.com/f","retrieveDateTime":@,"installDateTime":@,"signingCertificate":"-----BEGIN","signature":"c2ln"}}"#,
        r#"{"status":"RevokedCertificate"}"#;
    trigger_message: TriggerMessageRequest -> TriggerMessageResponse,
        r#"{"requestedMessage":"StatusNotification","connectorId":1}"#,
        r#"{"status":"Accepted"}"#;
    unlock_connector: UnlockConnectorRequest -> UnlockConnectorResponse,
        r#"{"connectorId":1}"#,
        r#"{"status":"UnlockFailed"}"#;
    update_firmware: UpdateFirmwareRequest -> UpdateFirmwareResponse,
        r#"{"location":"https://example.com/f","retries":3,"retrieveDate":@,"retryInterval":60}"#,
        r#"{}"#;
}

#[test]
fn what_a_station_sends_is_distinguished_from_what_it_is_sent() {
    let at = Timestamp::default();
    let said = Incoming::decode("Heartbeat", &raw("{}"), at, Protocol::V16).expect("valid");
    assert_eq!(said.value, Incoming::Heartbeat(heartbeat::Request {}));

    let order = Command::from(reset::Request { r#type: ResetType::Soft });
    assert_eq!((order.action(), order.payload().as_str()), ("Reset", r#"{"type":"Soft"}"#));
    let heard = Command::decode("Reset", &raw(&order.payload()), at, Protocol::V16).expect("valid");
    assert_eq!(heard.value, order);

    for (action, code) in [("Reset", ErrorCode::NotSupported), ("TransactionEvent", ErrorCode::NotImplemented)] {
        let error = Incoming::decode(action, &raw("{}"), at, Protocol::V16).expect_err("not for us");
        assert_eq!(error.code, code, "{action}");
    }
}

#[test]
fn a_payload_written_by_hand_is_checked_down_to_the_field() {
    let faults = |action, json| check_raw(action, &raw(json), Protocol::V16).expect_err("faulty");
    assert_eq!(faults("Rest", "{}"), ["Rest is not an action of OCPP 1.6"]);
    assert_eq!(faults("Reset", r#"{"type":"Warm"}"#), ["type must be one of Hard, Soft"]);
    assert_eq!(
        faults(
            "SetChargingProfile",
            r#"{"connectorId":"1","csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,
                "chargingProfilePurpose":"TxProfile","chargingProfileKind":"Absolute","chargingSchedule":
                {"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":16.15}]}}}"#
        ),
        [
            "connectorId must not be in quotes",
            "csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit has more decimal places than allowed",
        ]
    );
}

#[test]
fn errors_of_payloads_have_the_codes_of_the_json_specification() {
    for (action, json, code) in [
        ("Authorize", "{}", ErrorCode::OccurenceConstraintViolation),
        ("Authorize", r#"{"idTag":null}"#, ErrorCode::TypeConstraintViolation),
        (
            "BootNotification",
            r#"{"chargePointVendor":{},"chargePointModel":"One"}"#,
            ErrorCode::TypeConstraintViolation,
        ),
        ("BootNotification", "[]", ErrorCode::FormationViolation),
    ] {
        let error = Incoming::decode(action, &raw(json), Timestamp::default(), Protocol::V16);
        assert_eq!(error.expect_err("faulty").code, code, "{action} {json}");
    }
}

#[test]
fn a_station_that_is_sloppy_boots_all_the_same() {
    let json = r#"{"chargePointVendor":"Schneider Electric SE with a long name","chargePointModel":7,
        "chargePointSerialNumber":null,"meterSerialNumber":"","firmwareVersion":1.2}"#;
    let Decoded { value, deviations } =
        decode::<boot_notification::Request>(&raw(json), Timestamp::default(), Protocol::V16).expect("repaired");
    let vendor = value.charge_point_vendor.0.expect("there");
    assert_eq!(vendor.as_str(), "Schneider Electric S");
    assert_eq!(value.firmware_version.expect("there").as_str(), "1.2");
    assert_eq!(deviations.len(), 4);
    assert!(deviations[0].raw.contains("with a long name"));
}

mod whatever_is_said {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Any JSON without parts that may stand for a field.
    fn scalar() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
        ]
    }

    /// Any JSON.
    fn anything() -> impl Strategy<Value = Value> {
        prop_oneof![
            scalar(),
            Just(json!({})),
            Just(json!([])),
            Just(json!({"a": [1, {"b": null}]})),
            Just(json!([{"timestamp": 3, "sampledValue": [{"value": {}}]}])),
        ]
    }

    /// A message with some of these fields, each with one of these values.
    fn message(fields: &'static [&'static str], values: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
        let one = (proptest::sample::select(fields), values);
        proptest::collection::vec(one, 0..8)
            .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    proptest! {
        #[test]
        fn a_stop_is_never_refused(
            said in message(
                &["idTag", "meterStop", "timestamp", "transactionId", "reason", "transactionData", "x"],
                anything(),
            )
        ) {
            let read = decode::<stop_transaction::Request>(&raw(&said.to_string()), Timestamp::default(), Protocol::V16);
            prop_assert!(read.is_ok(), "{said}: {read:?}");
        }

        #[test]
        fn a_start_is_refused_for_an_object_in_the_place_of_a_value_only(
            said in message(&["idTag", "meterStart", "timestamp", "connectorId", "reservationId", "x"], scalar())
        ) {
            let read = decode::<start_transaction::Request>(&raw(&said.to_string()), Timestamp::default(), Protocol::V16);
            prop_assert!(read.is_ok(), "{said}: {read:?}");
        }
    }
}
