//! Provisioning (OCPP 1.6 Core profile, §4.2, §4.3, §4.6, §5.3, §5.6, §5.8 and §5.14): who a station is, its configuration, its
//! restart, and what vendors agreed on beside the specification.

use super::common::Acceptance;
use crate::text::{Exact, Label};
use crate::wire::Due;
use kernel::Timestamp;

crate::choice! {
    /// Whether the station is welcome (§7.38).
    pub enum RegistrationStatus { Accepted, Pending, Rejected }
}

crate::message! {
    /// One key and its value (§7.29).
    pub struct KeyValue {
        /// The key.
        pub key: Label<50>,
        /// Whether it cannot be changed.
        pub readonly: Option<bool>,
        /// Its value, kept whole whatever its length.
        pub value: Option<String>,
    }
}

crate::choice! {
    /// What became of a change of configuration (§7.22).
    pub open enum ConfigurationStatus { Accepted, Rejected, RebootRequired, NotSupported }
}

crate::choice! {
    /// How a station starts again (§7.42).
    pub enum ResetType { Hard, Soft }
}

crate::choice! {
    /// What became of a vendor's message (§7.23).
    pub open enum DataTransferStatus { Accepted, Rejected, UnknownMessageId, UnknownVendorId }
}

crate::exchange! {
    /// BootNotification (§4.2): a station introduces itself after it started or reconnected.
    ///
    /// Real stations exceed every length here, so all but vendor and model are optional labels.
    boot_notification
    asks {
        /// Who made it.
        charge_point_vendor: Due<Label<20>>,
        /// What they call it.
        charge_point_model: Due<Label<20>>,
        /// Serial number of the charge point.
        charge_point_serial_number: Option<Label<25>>,
        /// Serial number of the charge box inside; deprecated, and sent by many.
        charge_box_serial_number: Option<Label<25>>,
        /// Version of its firmware.
        firmware_version: Option<Label<50>>,
        /// The SIM card.
        iccid: Option<Label<20>>,
        /// The subscriber of the SIM card.
        imsi: Option<Label<20>>,
        /// The type of the main meter.
        meter_type: Option<Label<25>>,
        /// The serial number of the main meter.
        meter_serial_number: Option<Label<25>>,
    }
    answers {
        /// Whether it is welcome.
        status: RegistrationStatus,
        /// Our time, which the station adopts.
        current_time: Timestamp,
        /// Seconds between heartbeats when accepted, else until the station may try again.
        interval: u32,
    }
}

crate::exchange! {
    /// Heartbeat (§4.6): a station says it is alive and asks for the time.
    heartbeat
    asks {}
    answers {
        /// Our time, which the station adopts.
        current_time: Timestamp,
    }
}

crate::exchange! {
    /// GetConfiguration (§5.8): read configuration keys, all of them when none is named.
    get_configuration
    asks {
        /// Which keys; stations have a limit, `GetConfigurationMaxKeys`.
        key: Option<Vec<Exact<50>>>,
    }
    answers {
        /// Keys it has.
        configuration_key: Option<Vec<KeyValue>>,
        /// Keys it does not have.
        unknown_key: Option<Vec<Label<50>>>,
    }
}

crate::exchange! {
    /// ChangeConfiguration (§5.3): set one configuration key.
    ///
    /// `Accepted` does not prove an effect, so read it back.
    change_configuration
    asks {
        /// Which key.
        key: Exact<50>,
        /// Its new value, always as text.
        value: Exact<500>,
    }
    answers {
        /// What became of it.
        status: ConfigurationStatus,
    }
}

crate::exchange! {
    /// Reset (§5.14): start again.
    reset
    asks {
        /// `Soft` stops transactions properly first.
        r#type: ResetType,
    }
    answers {
        /// Whether it will.
        status: Acceptance,
    }
}

crate::exchange! {
    /// DataTransfer (§4.3 and §5.6): whatever a vendor thought was missing, in both directions.
    data_transfer
    asks {
        /// The vendor whose dialect it is.
        vendor_id: Exact<255>,
        /// Which message of that dialect.
        message_id: Option<Exact<50>>,
        /// Its content; an object some stations send here instead of a text is kept as JSON text.
        data: Option<String>,
    }
    answers {
        /// What became of it.
        status: DataTransferStatus,
        /// Whatever the dialect answers.
        data: Option<String>,
    }
}
