//! Who set up a connector. What was created from what a station reports may have another rating than it says, so it is marked.

crate::spelled! {
    /// Who set up a connector.
    pub enum CreatedBy {
        /// The operator, over the API.
        Operator = "operator",
        /// Nobody: its station reported it. Its type and its limits are those of the largest connector there, until somebody
        /// checks them.
        Station = "station",
    }
}
crate::text_column!(spelled CreatedBy);
