//! Whose request it is, once its key was accepted.

use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::{ApiKeyId, OrganizationId};

/// A caller whose key was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose data it is about.
    pub organization: OrganizationId,
    /// Which key was used.
    pub api_key: ApiKeyId,
    /// What the key may do: `read:groups`, …, or `*` for everything.
    pub scopes: Arc<BTreeSet<String>>,
}

impl Principal {
    /// Whether its scopes cover this one.
    pub fn may(&self, scope: &str) -> bool {
        self.scopes.contains("*") || self.scopes.contains(scope)
    }
}
