//! Shows what a transaction costs so far (OCPP 2 I02); OCPP 1.6 has nothing like it.

use super::answer_rule::AnswerRule;
use super::wire::invalid;
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::number::Number;
use ocpp::v2;

pub(super) const ANSWER_V2: AnswerRule = AnswerRule::of("CostUpdated").without_status();

/// The transaction that has this number here, and the amount in the currency's major unit.
pub(super) struct SendCost(pub(super) i64, pub(super) f64);

impl Spoken for SendCost {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Err(invalid("OCPP 1.6 has no message for costs"))
    }

    fn v2(&self, _: Manner, names: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::cost_updated::Request {
            total_cost: Number::try_from(self.1).map_err(|()| invalid("amount is no number"))?,
            transaction_id: names.transaction()?,
        }))
    }

    fn transaction(&self) -> Option<i64> {
        Some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::commands::spoken;
    use crate::gateway::commands::testing::{MANNER, answered_v2, said_v2};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn costs_are_sent_in_ocpp_2_only_and_an_empty_answer_agrees() {
        let cost = StationCommand::SendCost { transaction: 7, amount: 3.25 };
        assert!(spoken(&cost).v16(MANNER).is_err());
        assert_eq!(said_v2(&cost, Protocol::V201), json!({"totalCost": 3.25, "transactionId": "tx-7"}));
        assert!(answered_v2(&cost, Protocol::V201, &json!({})).accepted);
        let endless = StationCommand::SendCost { transaction: 7, amount: f64::INFINITY };
        assert_eq!(
            crate::gateway::commands::testing::call_v2(&endless, Protocol::V201),
            Err(invalid("amount is no number"))
        );
    }
}
