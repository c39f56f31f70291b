//! Sends whatever a vendor agreed on (OCPP 1.6 §5.6, OCPP 2 P01).

use super::wire::exact;
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::wire::Any;
use ocpp::{v2, v16};

pub(super) struct DataTransfer<'a> {
    pub(super) vendor_id: &'a str,
    pub(super) message_id: Option<&'a str>,
    pub(super) data: Option<&'a str>,
}

impl Spoken for DataTransfer<'_> {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::data_transfer::Request {
            vendor_id: exact(self.vendor_id, "vendorId")?,
            message_id: self.message_id.map(|id| exact(id, "messageId")).transpose()?,
            data: self.data.map(str::to_owned),
        }))
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::data_transfer::Request {
            message_id: self.message_id.map(|id| exact(id, "messageId")).transpose()?,
            data: self.data.map(|text| Any(text.into())),
            vendor_id: exact(self.vendor_id, "vendorId")?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::gateway::commands::testing::{answered_v16, said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn its_data_is_a_text_in_every_version() {
        let (vendor_id, data) = ("com.example".to_owned(), Some("{}".to_owned()));
        let transfer = StationCommand::DataTransfer { vendor_id, message_id: None, data };
        let said = json!({"vendorId": "com.example", "data": "{}"});
        assert_eq!(said_v16(&transfer), said);
        assert_eq!(said_v2(&transfer, Protocol::V201), said);
        assert!(!answered_v16(&transfer, &json!({"status": "UnknownVendorId"})).accepted);
    }
}
