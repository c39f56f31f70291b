//! Authorization (OCPP 1.6 Core profile, §4.1 and §5.4) and the local list (Local Auth List Management profile, §5.10 and
//! §5.15).

use super::common::*;

crate::choice! {
    /// Replace the list, or change the cards in it (§7.48).
    pub enum UpdateType { Differential, Full }
}

crate::message! {
    /// One card of a list; without what is known of it, a differential update removes it (§7.1).
    pub struct AuthorizationData {
        /// The card.
        pub id_tag: IdTag,
        /// Whether it may charge.
        pub id_tag_info: Option<IdTagInfo>,
    }
}

crate::choice! {
    /// What became of an update of the list (§7.47).
    pub open enum UpdateStatus { Accepted, Failed, NotSupported, VersionMismatch }
}

crate::exchange! {
    /// Authorize (§4.1): may this card charge?
    authorize
    asks {
        /// The card.
        id_tag: IdTag,
    }
    answers {
        /// Whether it may charge.
        id_tag_info: IdTagInfo,
    }
}

crate::exchange! {
    /// ClearCache (§5.4): forget which cards were accepted before.
    clear_cache
    asks {}
    answers {
        /// Whether it will.
        status: Acceptance,
    }
}

crate::exchange! {
    /// GetLocalListVersion (§5.10): which list of cards do you have?
    get_local_list_version
    asks {}
    answers {
        /// 0 when the list is empty, -1 when the station has none.
        list_version: i64,
    }
}

crate::exchange! {
    /// SendLocalList (§5.15): the cards to accept while we cannot be reached.
    send_local_list
    asks {
        /// The version of the list, above 0.
        list_version: i64,
        /// The cards.
        local_authorization_list: Option<Vec<AuthorizationData>>,
        /// Whether the list replaces or changes the one the station has.
        update_type: UpdateType,
    }
    answers {
        /// What became of it.
        status: UpdateStatus,
    }
}
