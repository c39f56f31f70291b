//! Data transfer (functional block P).

use super::common::*;
use crate::text::Exact;
use crate::wire::Any;

crate::choice! {
    pub open enum DataTransferStatus { Accepted, Rejected, UnknownMessageId, UnknownVendorId }
}

crate::exchange! {
    /// Whatever a vendor agreed on (P01, P02).
    data_transfer
    asks {
        message_id: Option<Exact<50>>,
        data: Option<Any>,
        vendor_id: Exact<255>,
    }
    answers {
        status: DataTransferStatus,
        status_info: Option<StatusInfo>,
        data: Option<Any>,
    }
}
