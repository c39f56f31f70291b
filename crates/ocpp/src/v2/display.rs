//! Messages on displays (functional block O).

use super::common::*;
use crate::text::Exact;
use kernel::Timestamp;

crate::choice! {
    pub open enum ClearMessageStatus { Accepted, NotKnown = "Unknown", Rejected [V21] }
}

crate::choice! {
    pub open enum MessagePriority { AlwaysFront, InFront, NormalCycle }
}

crate::choice! {
    pub open enum MessageState { Charging, Faulted, Idle, Unavailable, Suspended [V21], Discharging [V21] }
}

crate::choice! {
    pub open enum GetDisplayMessagesStatus { Accepted, NotKnown = "Unknown" }
}

crate::message! {
    /// A message, when it is shown and where.
    pub struct MessageInfo {
        pub display: Option<Component>,
        pub end_date_time: Option<Timestamp>,
        pub id: u32,
        pub message: MessageContent,
        pub message_extra: Option<Vec<MessageContent>> [V21],
        pub priority: MessagePriority,
        pub start_date_time: Option<Timestamp>,
        pub state: Option<MessageState>,
        pub transaction_id: Option<Exact<36>>,
    }
}

crate::choice! {
    pub open enum DisplayMessageStatus {
        Accepted, NotSupportedMessageFormat, Rejected, NotSupportedPriority, NotSupportedState, UnknownTransaction,
        LanguageNotSupported [V21],
    }
}

crate::exchange! {
    /// Show a message no longer (O05).
    clear_display_message
    asks { id: u32 }
    answers { status: ClearMessageStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// Report the messages (O03, O04).
    get_display_messages
    asks {
        id: Option<Vec<u32>>,
        request_id: i64,
        priority: Option<MessagePriority>,
        state: Option<MessageState>,
    }
    answers { status: GetDisplayMessagesStatus, status_info: Option<StatusInfo> }
}

crate::exchange! {
    /// A part of the report of the messages (O03, O04).
    notify_display_messages
    asks {
        message_info: Option<Vec<MessageInfo>>,
        request_id: i64,
        tbc: Option<bool>,
    }
    answers {}
}

crate::exchange! {
    /// Show a message (O01, O02, O06).
    set_display_message
    asks { message: MessageInfo }
    answers { status: DisplayMessageStatus, status_info: Option<StatusInfo> }
}
