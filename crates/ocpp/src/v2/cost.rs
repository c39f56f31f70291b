//! Tariff and cost (functional block I).

use super::common::*;
use crate::number::Number;
use crate::text::Exact;
use kernel::Timestamp;

crate::choice! {
    pub open enum TariffChangeStatus {
        Accepted, Rejected, TooManyElements, ConditionNotSupported, TxNotFound, NoCurrencyChange,
    }
}

crate::choice! {
    pub open enum TariffClearStatus { Accepted, Rejected, NoTariff }
}

crate::message! {
    /// Whether a tariff was forgotten.
    pub struct ClearTariffsResult {
        pub status: TariffClearStatus,
        pub status_info: Option<StatusInfo>,
        pub tariff_id: Option<Exact<60>>,
    }
}

crate::choice! {
    pub open enum TariffGetStatus { Accepted, Rejected, NoTariff }
}

crate::choice! {
    pub open enum TariffKind { DefaultTariff, DriverTariff }
}

crate::message! {
    /// A tariff and whom it is for.
    pub struct TariffAssignment {
        pub evse_ids: Option<Vec<u32>>,
        pub id_tokens: Option<Vec<Exact<255>>>,
        pub tariff_id: Exact<60>,
        pub tariff_kind: TariffKind,
        pub valid_from: Option<Timestamp>,
    }
}

crate::choice! {
    pub open enum PaymentStatus { Settled, Canceled, Rejected, Failed }
}

crate::message! {
    /// Where an invoice is sent.
    pub struct Address {
        pub address1: Exact<100>,
        pub address2: Option<Exact<100>>,
        pub city: Exact<100>,
        pub country: Exact<50>,
        pub name: Exact<50>,
        pub postal_code: Option<Exact<20>>,
    }
}

crate::choice! {
    pub open enum TariffSetStatus { Accepted, Rejected, TooManyElements, ConditionNotSupported, DuplicateTariffId }
}

crate::exchange! {
    /// Compute a running transaction with another tariff (2.1).
    change_transaction_tariff
    asks { tariff: Tariff, transaction_id: Exact<36> }
    answers { status: TariffChangeStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Forget tariffs (2.1).
    clear_tariffs
    asks { tariff_ids: Option<Vec<Exact<60>>>, evse_id: Option<u32> }
    answers { clear_tariffs_result: Vec<ClearTariffsResult> }
}

crate::exchange! {
    /// What a transaction costs so far (I02).
    cost_updated
    asks { total_cost: Number, transaction_id: Exact<36> }
    answers {}
}

crate::exchange! {
    /// Return the tariffs (2.1).
    get_tariffs
    asks { evse_id: u32 }
    answers {
        status: TariffGetStatus,
        status_info: Option<StatusInfo>,
        tariff_assignments: Option<Vec<TariffAssignment>>,
    }
}

crate::exchange! {
    /// A payment was settled (2.1).
    notify_settlement
    asks {
        transaction_id: Option<Exact<36>>,
        psp_ref: Exact<255>,
        status: PaymentStatus,
        status_info: Option<Exact<500>>,
        settlement_amount: Number,
        settlement_time: Timestamp,
        receipt_id: Option<Exact<50>>,
        receipt_url: Option<Exact<2000>>,
        vat_company: Option<Address>,
        vat_number: Option<Exact<20>>,
    }
    answers { receipt_url: Option<Exact<2000>>, receipt_id: Option<Exact<50>> }
}

crate::exchange! {
    /// Somebody pays over the web (2.1).
    notify_web_payment_started
    asks { evse_id: u32, timeout: i64 }
    answers {}
}

crate::exchange! {
    /// Use this tariff where no other applies (2.1).
    set_default_tariff
    asks { evse_id: u32, tariff: Tariff }
    answers { status: TariffSetStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Is this a VAT number (2.1)?
    vat_number_validation
    asks { vat_number: Exact<20>, evse_id: Option<u32> }
    answers {
        company: Option<Address>,
        status_info: Option<StatusInfo>,
        vat_number: Exact<20>,
        evse_id: Option<u32>,
        status: GenericStatus,
    }
}
