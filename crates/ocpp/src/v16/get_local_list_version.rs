//! GetLocalListVersion (OCPP 1.6 §5.10): which list of cards do you have?

crate::message! {
    /// No arguments.
    pub struct Request {}
}

crate::message! {
    /// The version of the list.
    pub struct Response {
        /// 0 when the list is empty, -1 when the station has none.
        pub list_version: i64,
    }
}
