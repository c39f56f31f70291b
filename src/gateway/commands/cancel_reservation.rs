//! Keeps a connector no longer (OCPP 1.6 §5.1, OCPP 2 H02).

use super::wire::invalid;
use super::{Manner, Names, Spoken, WireCall};
use crate::sites::stations::link::LinkError;
use ocpp::{v2, v16};

/// The reservation with this number.
pub(super) struct CancelReservation(pub(super) i64);

impl Spoken for CancelReservation {
    fn v16(&self, _: Manner) -> Result<WireCall, LinkError> {
        Ok(WireCall::v16(v16::cancel_reservation::Request { reservation_id: self.0 }))
    }

    fn v2(&self, _: Manner, _: &Names) -> Result<WireCall, LinkError> {
        Ok(WireCall::v2(v2::cancel_reservation::Request { reservation_id: reservation_number(self.0)? }))
    }
}

/// The number of a reservation, which OCPP 2 counts from 0.
pub(super) fn reservation_number(reservation: i64) -> Result<u32, LinkError> {
    u32::try_from(reservation).map_err(|_| invalid("reservation must not be negative"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::commands::testing::{call_v2, said_v2, said_v16};
    use crate::sites::stations::link::StationCommand;
    use kernel::Protocol;

    #[test]
    fn a_reservation_is_cancelled_by_its_number() {
        let cancel = StationCommand::CancelReservation { reservation: 5 };
        assert_eq!(said_v16(&cancel), json!({"reservationId": 5}));
        assert_eq!(said_v2(&cancel, Protocol::V201), json!({"reservationId": 5}));
        let negative = StationCommand::CancelReservation { reservation: -5 };
        assert_eq!(call_v2(&negative, Protocol::V201), Err(invalid("reservation must not be negative")));
    }
}
