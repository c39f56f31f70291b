//! Reservation (OCPP 1.6 Reservation profile, §5.1 and §5.13).

use super::common::*;
use kernel::Timestamp;

crate::choice! {
    /// What became of a reservation (§7.40).
    pub open enum ReservationStatus { Accepted, Faulted, Occupied, Rejected, Unavailable }
}

crate::exchange! {
    /// ReserveNow (§5.13): keep a connector for a card.
    reserve_now
    asks {
        /// The connector, or 0 for any.
        connector_id: u32,
        /// Until when.
        expiry_date: Timestamp,
        /// The card it is kept for.
        id_tag: IdTag,
        /// The group of cards it is kept for, too.
        parent_id_tag: Option<IdTag>,
        /// Our number; the same number again replaces the reservation.
        reservation_id: i64,
    }
    answers {
        /// What became of it.
        status: ReservationStatus,
    }
}

crate::exchange! {
    /// CancelReservation (§5.1): the connector need not be kept any longer.
    cancel_reservation
    asks {
        /// The number it was reserved with.
        reservation_id: i64,
    }
    answers {
        /// Whether it will.
        status: Acceptance,
    }
}
