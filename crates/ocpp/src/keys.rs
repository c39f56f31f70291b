//! Configuration keys of OCPP 1.6 that live on in OCPP 2 as variables of the device model, under other names.

/// Keys of OCPP 1.6, and the variables that took their place.
pub const SUCCESSORS: [(&str, &str); 34] = [
    ("AllowOfflineTxForUnknownId", "AuthCtrlr.OfflineTxForUnknownIdEnabled"),
    ("AuthorizationCacheEnabled", "AuthCacheCtrlr.Enabled"),
    ("AuthorizationKey", "SecurityCtrlr.BasicAuthPassword"),
    ("AuthorizeRemoteTxRequests", "AuthCtrlr.AuthorizeRemoteStart"),
    ("ChargeProfileMaxStackLevel", "SmartChargingCtrlr.ProfileStackLevel"),
    ("ChargingScheduleAllowedChargingRateUnit", "SmartChargingCtrlr.RateUnit"),
    ("ChargingScheduleMaxPeriods", "SmartChargingCtrlr.PeriodsPerSchedule"),
    ("ClockAlignedDataInterval", "AlignedDataCtrlr.Interval"),
    ("ConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut"),
    ("ConnectorSwitch3to1PhaseSupported", "SmartChargingCtrlr.Phases3to1"),
    ("CpoName", "SecurityCtrlr.OrganizationName"),
    ("GetConfigurationMaxKeys", "DeviceDataCtrlr.ItemsPerMessage/GetVariables"),
    ("HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval"),
    ("LocalAuthListEnabled", "LocalAuthListCtrlr.Enabled"),
    ("LocalAuthorizeOffline", "AuthCtrlr.LocalAuthorizeOffline"),
    ("LocalPreAuthorize", "AuthCtrlr.LocalPreAuthorize"),
    ("MaxChargingProfilesInstalled", "SmartChargingCtrlr.Entries/ChargingProfiles"),
    ("MaxEnergyOnInvalidId", "TxCtrlr.MaxEnergyOnInvalidId"),
    ("MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval"),
    ("MeterValuesAlignedData", "AlignedDataCtrlr.Measurands"),
    ("MeterValuesSampledData", "SampledDataCtrlr.TxUpdatedMeasurands"),
    ("ReserveConnectorZeroSupported", "ReservationCtrlr.NonEvseSpecific"),
    ("ResetRetries", "OCPPCommCtrlr.ResetRetries"),
    ("SecurityProfile", "SecurityCtrlr.SecurityProfile"),
    ("SendLocalListMaxLength", "LocalAuthListCtrlr.ItemsPerMessage"),
    ("StopTransactionOnEVSideDisconnect", "TxCtrlr.StopTxOnEVSideDisconnect"),
    ("StopTransactionOnInvalidId", "TxCtrlr.StopTxOnInvalidId"),
    ("StopTxnAlignedData", "AlignedDataCtrlr.TxEndedMeasurands"),
    ("StopTxnSampledData", "SampledDataCtrlr.TxEndedMeasurands"),
    ("TransactionMessageAttempts", "OCPPCommCtrlr.MessageAttempts/TransactionEvent"),
    ("TransactionMessageRetryInterval", "OCPPCommCtrlr.MessageAttemptInterval/TransactionEvent"),
    ("UnlockConnectorOnEVSideDisconnect", "OCPPCommCtrlr.UnlockOnEVSideDisconnect"),
    ("WebSocketPingInterval", "OCPPCommCtrlr.WebSocketPingInterval"),
    ("AdditionalRootCertificateCheck", "SecurityCtrlr.AdditionalRootCertificateCheck"),
];

/// The key of OCPP 1.6 whose place this variable took.
pub fn predecessor(name: &str) -> Option<&'static str> {
    let same = SUCCESSORS.iter().find(|(_, new)| *new == name);
    same.map(|(old, _)| *old)
}

/// The variable that took the place of a key of OCPP 1.6.
pub fn successor(key: &str) -> Option<&'static str> {
    SUCCESSORS.iter().find(|(old, _)| *old == key).map(|(_, new)| *new)
}
