//! Stops to charge (OCPP 1.6 §5.12, OCPP 2 F03).

use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::{v2, v16};

/// The transaction that has this number here.
pub(super) struct StopCharging(pub(super) i64);

impl Spoken for StopCharging {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::remote_stop_transaction::Request { transaction_id: self.0 }))
    }

    fn v2(&self, _: Manner, names: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::request_stop_transaction::Request { transaction_id: names.transaction()? }))
    }

    fn transaction(&self) -> Option<i64> {
        Some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::gateway::commands::spoken;
    use crate::gateway::commands::testing::{said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn a_transaction_has_the_name_of_the_station_in_ocpp_2() {
        let stop = StationCommand::StopCharging { transaction: 7 };
        assert_eq!(spoken(&stop).transaction(), Some(7));
        assert_eq!(said_v16(&stop), json!({"transactionId": 7}));
        assert_eq!(said_v2(&stop, Protocol::V201), json!({"transactionId": "tx-7"}));
    }
}
