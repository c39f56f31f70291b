//! Streams of values that are watched (functional block N of 2.1).

use super::common::*;
use crate::number::Number;
use crate::text::Exact;
use kernel::Timestamp;

crate::message! {
    /// What a stream reports, and how often.
    pub struct ConstantStreamData {
        pub id: u32,
        pub params: PeriodicEventStreamParams,
        pub variable_monitoring_id: u32,
    }
}

crate::message! {
    /// A value of a stream.
    pub struct StreamDataElement {
        pub t: Number,
        pub v: Exact<2500>,
    }
}

crate::exchange! {
    /// Send a stream more or less often (2.1).
    adjust_periodic_event_stream
    asks { id: u32, params: PeriodicEventStreamParams }
    answers { status: GenericStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// A stream ends (2.1).
    close_periodic_event_stream
    asks { id: u32 }
    answers {}
}

crate::exchange! {
    /// Return which streams run (2.1).
    get_periodic_event_stream
    asks {}
    answers { constant_stream_data: Option<Vec<ConstantStreamData>> }
}

crate::exchange! {
    /// A part of a stream; it has no answer (2.1).
    notify_periodic_event_stream
    asks {
        data: Vec<StreamDataElement>,
        id: u32,
        pending: u32,
        basetime: Timestamp,
    }
    answers {}
}

crate::exchange! {
    /// A stream begins (2.1).
    open_periodic_event_stream
    asks { constant_stream_data: ConstantStreamData }
    answers { status: GenericStatus, status_info: Option<StatusInfo> }
}
