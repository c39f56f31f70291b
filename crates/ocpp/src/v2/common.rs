//! Types that messages of several functional blocks share.

use crate::number::Number;
use crate::text::{Exact, Label};
use kernel::Timestamp;

crate::choice! {
    pub open enum GenericStatus { Accepted, Rejected }
}

crate::message! {
    /// Why something was answered so.
    pub struct StatusInfo {
        pub additional_info: Option<Label<1024, 512>>,
        pub reason_code: Label<20>,
    }
}

crate::message! {
    /// How often a stream is sent, or after how many values.
    pub struct PeriodicEventStreamParams {
        pub interval: Option<u32>,
        pub values: Option<u32>,
    }
}

crate::choice! {
    pub open enum HashAlgorithm { Sha256 = "SHA256", Sha384 = "SHA384", Sha512 = "SHA512" }
}

crate::message! {
    /// A further number of a token, of any kind.
    pub struct AdditionalInfo {
        pub additional_id_token: Exact<255, 36>,
        pub r#type: Exact<50>,
    }
}

crate::message! {
    /// What a driver presents to a reader.
    pub struct IdToken {
        pub additional_info: Option<Vec<AdditionalInfo>>,
        pub id_token: Exact<255, 36>,
        pub r#type: IdTokenKind,
    }
}

crate::message! {
    /// What a responder (OCSP) must be asked about a certificate.
    pub struct OcspRequestData {
        pub hash_algorithm: HashAlgorithm,
        pub issuer_key_hash: Exact<128>,
        pub issuer_name_hash: Exact<128>,
        pub responder_url as "responderURL": Exact<2000, 512>,
        pub serial_number: Exact<40>,
    }
}

crate::choice! {
    pub enum AuthorizationStatus {
        Accepted, Blocked, ConcurrentTx, Expired, Invalid, NoCredit, NotAllowedTypeEVSE, NotAtThisLocation,
        NotAtThisTime, NotKnown = "Unknown",
    }
}

crate::choice! {
    pub enum DayOfWeek { Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday }
}

crate::choice! {
    pub open enum EnergyTransferMode {
        ACSinglePhase = "AC_single_phase", ACTwoPhase = "AC_two_phase", ACThreePhase = "AC_three_phase", DC,
        ACBpt = "AC_BPT" [V21], ACBptDer = "AC_BPT_DER" [V21], ACDer = "AC_DER" [V21], DCBpt = "DC_BPT" [V21],
        DCAcdp = "DC_ACDP" [V21], DCAcdpBpt = "DC_ACDP_BPT" [V21], WPT [V21],
    }
}

crate::choice! {
    pub enum EvseKind { AC, DC }
}

crate::choice! {
    pub open enum MessageFormat { Ascii = "ASCII", Html = "HTML", URI, Utf8 = "UTF8", Qrcode = "QRCODE" [V21] }
}

crate::message! {
    /// Whether a token may charge, and what else is known of it.
    pub struct IdTokenInfo {
        pub cache_expiry_date_time: Option<Timestamp>,
        pub charging_priority: Option<i64>,
        pub evse_id: Option<Vec<u32>>,
        pub group_id_token: Option<IdToken>,
        pub language1: Option<Exact<8>>,
        pub language2: Option<Exact<8>>,
        pub personal_message: Option<MessageContent>,
        pub status: AuthorizationStatus,
    }
}

crate::message! {
    /// A text in a language and a format.
    pub struct MessageContent {
        pub content: Exact<1024, 512>,
        pub format: MessageFormat,
        pub language: Option<Exact<8>>,
    }
}

crate::message! {
    /// An amount with and without tax.
    pub struct Price {
        pub excl_tax: Option<Number>,
        pub incl_tax: Option<Number>,
        pub tax_rates: Option<Vec<TaxRate>>,
    }
}

crate::message! {
    /// When a price that is paid once holds.
    pub struct TariffConditionsFixed {
        pub day_of_week: Option<Vec<DayOfWeek>>,
        pub end_time_of_day: Option<String>,
        pub evse_kind: Option<EvseKind>,
        pub payment_brand: Option<Exact<20>>,
        pub payment_recognition: Option<Exact<20>>,
        pub start_time_of_day: Option<String>,
        pub valid_from_date: Option<String>,
        pub valid_to_date: Option<String>,
    }
}

crate::message! {
    /// When a price holds.
    pub struct TariffConditions {
        pub day_of_week: Option<Vec<DayOfWeek>>,
        pub end_time_of_day: Option<String>,
        pub evse_kind: Option<EvseKind>,
        pub max_charging_time: Option<i64>,
        pub max_current: Option<Number>,
        pub max_energy: Option<Number>,
        pub max_idle_time: Option<i64>,
        pub max_power: Option<Number>,
        pub max_time: Option<i64>,
        pub min_charging_time: Option<i64>,
        pub min_current: Option<Number>,
        pub min_energy: Option<Number>,
        pub min_idle_time: Option<i64>,
        pub min_power: Option<Number>,
        pub min_time: Option<i64>,
        pub start_time_of_day: Option<String>,
        pub valid_from_date: Option<String>,
        pub valid_to_date: Option<String>,
    }
}

crate::message! {
    /// A price of a kWh.
    pub struct TariffEnergyPrice {
        pub conditions: Option<TariffConditions>,
        pub price_kwh: Number,
    }
}

crate::message! {
    /// What energy costs.
    pub struct TariffEnergy {
        pub prices: Vec<TariffEnergyPrice>,
        pub tax_rates: Option<Vec<TaxRate>>,
    }
}

crate::message! {
    /// A price that is paid once.
    pub struct TariffFixedPrice {
        pub conditions: Option<TariffConditionsFixed>,
        pub price_fixed: Number,
    }
}

crate::message! {
    /// What is paid once.
    pub struct TariffFixed {
        pub prices: Vec<TariffFixedPrice>,
        pub tax_rates: Option<Vec<TaxRate>>,
    }
}

crate::message! {
    /// A price of a minute.
    pub struct TariffTimePrice {
        pub conditions: Option<TariffConditions>,
        pub price_minute: Number,
    }
}

crate::message! {
    /// What time costs.
    pub struct TariffTime {
        pub prices: Vec<TariffTimePrice>,
        pub tax_rates: Option<Vec<TaxRate>>,
    }
}

crate::message! {
    /// What a transaction costs, as a driver is shown it.
    pub struct Tariff {
        pub charging_time: Option<TariffTime>,
        pub currency: Exact<3>,
        pub description: Option<Vec<MessageContent>>,
        pub energy: Option<TariffEnergy>,
        pub fixed_fee: Option<TariffFixed>,
        pub idle_time: Option<TariffTime>,
        pub max_cost: Option<Price>,
        pub min_cost: Option<Price>,
        pub reservation_fixed: Option<TariffFixed>,
        pub reservation_time: Option<TariffTime>,
        pub tariff_id: Exact<60>,
        pub valid_from: Option<Timestamp>,
    }
}

crate::message! {
    /// A tax in percent.
    pub struct TaxRate {
        pub stack: Option<u32>,
        pub tax: Number,
        pub r#type: Exact<20>,
    }
}

crate::message! {
    /// An EVSE, or a connector of it.
    pub struct Evse {
        pub connector_id: Option<u32>,
        pub id: u32,
    }
}

crate::choice! {
    pub open enum DerControl {
        EnterService, FreqDroop, FreqWatt, FixedPFAbsorb, FixedPFInject, FixedVar, Gradients, HFMustTrip, HFMayTrip,
        HVMustTrip, HVMomCess, HVMayTrip, LimitMaxDischarge, LFMustTrip, LVMustTrip, LVMomCess, LVMayTrip,
        PowerMonitoringMustTrip, VoltVar, VoltWatt, WattPF, WattVar,
    }
}

crate::message! {
    /// The name of a certificate: hashes of its issuer, and its serial number.
    pub struct CertificateHashData {
        pub hash_algorithm: HashAlgorithm,
        pub issuer_key_hash: Exact<128>,
        pub issuer_name_hash: Exact<128>,
        pub serial_number: Exact<40>,
    }
}

crate::choice! {
    pub open enum GenericDeviceModelStatus { Accepted, Rejected, NotSupported, EmptyResultSet }
}

crate::message! {
    /// A part of the device model.
    pub struct Component {
        pub evse: Option<Evse>,
        pub instance: Option<Exact<50>>,
        pub name: Exact<50>,
    }
}

crate::message! {
    /// A component, or one variable of it.
    pub struct ComponentVariable {
        pub component: Component,
        pub variable: Option<Variable>,
    }
}

crate::message! {
    /// A value that a component has.
    pub struct Variable {
        pub instance: Option<Exact<50>>,
        pub name: Exact<50>,
    }
}

crate::choice! {
    pub open enum Location { Body, Cable, EV, Inlet, Outlet, Upstream [V21] }
}

crate::choice! {
    pub open enum Measurand {
        CurrentExport = "Current.Export", CurrentExportOffered = "Current.Export.Offered" [V21],
        CurrentExportMinimum = "Current.Export.Minimum" [V21], CurrentImport = "Current.Import",
        CurrentImportOffered = "Current.Import.Offered" [V21], CurrentImportMinimum = "Current.Import.Minimum" [V21],
        CurrentOffered = "Current.Offered", DisplayPresentSOC = "Display.PresentSOC" [V21],
        DisplayMinimumSOC = "Display.MinimumSOC" [V21], DisplayTargetSOC = "Display.TargetSOC" [V21],
        DisplayMaximumSOC = "Display.MaximumSOC" [V21],
        DisplayRemainingTimeToMinimumSOC = "Display.RemainingTimeToMinimumSOC" [V21],
        DisplayRemainingTimeToTargetSOC = "Display.RemainingTimeToTargetSOC" [V21],
        DisplayRemainingTimeToMaximumSOC = "Display.RemainingTimeToMaximumSOC" [V21],
        DisplayChargingComplete = "Display.ChargingComplete" [V21],
        DisplayBatteryEnergyCapacity = "Display.BatteryEnergyCapacity" [V21],
        DisplayInletHot = "Display.InletHot" [V21], EnergyActiveExportInterval = "Energy.Active.Export.Interval",
        EnergyActiveExportRegister = "Energy.Active.Export.Register",
        EnergyActiveImportInterval = "Energy.Active.Import.Interval",
        EnergyActiveImportRegister = "Energy.Active.Import.Register",
        EnergyActiveImportCableLoss = "Energy.Active.Import.CableLoss" [V21],
        EnergyActiveImportLocalGenerationRegister = "Energy.Active.Import.LocalGeneration.Register" [V21],
        EnergyActiveNet = "Energy.Active.Net", EnergyActiveSetpointInterval = "Energy.Active.Setpoint.Interval" [V21],
        EnergyApparentExport = "Energy.Apparent.Export", EnergyApparentImport = "Energy.Apparent.Import",
        EnergyApparentNet = "Energy.Apparent.Net", EnergyReactiveExportInterval = "Energy.Reactive.Export.Interval",
        EnergyReactiveExportRegister = "Energy.Reactive.Export.Register",
        EnergyReactiveImportInterval = "Energy.Reactive.Import.Interval",
        EnergyReactiveImportRegister = "Energy.Reactive.Import.Register", EnergyReactiveNet = "Energy.Reactive.Net",
        EnergyRequestTarget = "EnergyRequest.Target" [V21], EnergyRequestMinimum = "EnergyRequest.Minimum" [V21],
        EnergyRequestMaximum = "EnergyRequest.Maximum" [V21],
        EnergyRequestMinimumV2x = "EnergyRequest.Minimum.V2X" [V21],
        EnergyRequestMaximumV2x = "EnergyRequest.Maximum.V2X" [V21], EnergyRequestBulk = "EnergyRequest.Bulk" [V21],
        Frequency, PowerActiveExport = "Power.Active.Export", PowerActiveImport = "Power.Active.Import",
        PowerActiveSetpoint = "Power.Active.Setpoint" [V21], PowerActiveResidual = "Power.Active.Residual" [V21],
        PowerExportMinimum = "Power.Export.Minimum" [V21], PowerExportOffered = "Power.Export.Offered" [V21],
        PowerFactor = "Power.Factor", PowerImportOffered = "Power.Import.Offered" [V21],
        PowerImportMinimum = "Power.Import.Minimum" [V21], PowerOffered = "Power.Offered",
        PowerReactiveExport = "Power.Reactive.Export", PowerReactiveImport = "Power.Reactive.Import", SoC, Voltage,
        VoltageMinimum = "Voltage.Minimum" [V21], VoltageMaximum = "Voltage.Maximum" [V21],
    }
}

crate::choice! {
    pub open enum Phase {
        L1, L2, L3, N, L1N = "L1-N", L2N = "L2-N", L3N = "L3-N", L1L2 = "L1-L2", L2L3 = "L2-L3", L3L1 = "L3-L1",
    }
}

crate::choice! {
    pub open enum Context {
        InterruptionBegin = "Interruption.Begin", InterruptionEnd = "Interruption.End", Other,
        SampleClock = "Sample.Clock", SamplePeriodic = "Sample.Periodic", TransactionBegin = "Transaction.Begin",
        TransactionEnd = "Transaction.End", Trigger,
    }
}

crate::message! {
    /// What a meter showed at an instant.
    pub struct MeterValue {
        pub sampled_value: Vec<SampledValue>,
        pub timestamp: Timestamp,
    }
}

crate::message! {
    /// One value of a meter.
    pub struct SampledValue {
        pub context: Option<Context>,
        pub location: Option<Location>,
        pub measurand: Option<Measurand>,
        pub phase: Option<Phase>,
        pub signed_meter_value: Option<SignedMeterValue>,
        pub unit_of_measure: Option<UnitOfMeasure>,
        pub value: Number,
    }
}

crate::message! {
    /// The same as the meter signed it.
    pub struct SignedMeterValue {
        pub encoding_method: Exact<50>,
        pub public_key: Option<Exact<2500>>,
        pub signed_meter_data: Exact<32768, 2500>,
        pub signing_method: Option<Exact<50>>,
    }
}

crate::message! {
    /// The unit of a value and its power of ten.
    pub struct UnitOfMeasure {
        pub multiplier: Option<i64>,
        pub unit: Option<Exact<20>>,
    }
}

crate::choice! {
    pub free enum IdTokenKind {
        Central, EMAID = "eMAID", Iso14443 = "ISO14443", Iso15693 = "ISO15693", KeyCode, Local, MacAddress,
        NoAuthorization,
    }
}
