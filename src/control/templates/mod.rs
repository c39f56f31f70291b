//! Configuration templates: settings that stations get when they connect.
//!
//! All templates that are valid for a station apply; of several that set the same key, the one with the highest
//! priority decides. [`wanted`] answers what a station should be set to; who asks the station is `provisioning`.

mod api;
mod model;
mod store;

pub use api::routes;
pub use model::{Batch, Setting, Template, TemplateView, batches};
pub use store::wanted;
