//! GetConfiguration (OCPP 1.6 §5.8): read configuration keys, all of them when none is named.

use crate::text::{Exact, Label};

crate::message! {
    /// What the station is asked to do.
    pub struct Request {
        /// Which keys; stations have a limit, `GetConfigurationMaxKeys`.
        pub key: Option<Vec<Exact<50>>>,
    }
}

crate::message! {
    /// One key and its value.
    pub struct Setting {
        /// The key.
        pub key: Label<50>,
        /// Whether it cannot be changed.
        pub readonly: Option<bool>,
        /// Its value, kept whole whatever its length.
        pub value: Option<String>,
    }
}

crate::message! {
    /// What the station has.
    pub struct Response {
        /// Keys it has.
        pub configuration_key: Option<Vec<Setting>>,
        /// Keys it does not have.
        pub unknown_key: Option<Vec<Label<50>>>,
    }
}
