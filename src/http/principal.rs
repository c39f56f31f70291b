//! Whose request it is, once its key or its login was accepted.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::reach::Reach;
use kernel::{AccountId, ApiKeyId, CallerId, OperatorId, OrganizationId};

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A program, with this API key.
    ApiKey(ApiKeyId),
    /// A person at the panel.
    Operator(OperatorId),
}

/// A caller whose key or login was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose data it is about.
    pub organization: OrganizationId,
    /// Who it is.
    pub actor: Actor,
    /// What they are called.
    pub name: Arc<str>,
    /// What they may do: `read:groups`, …, or `*` for everything.
    pub scopes: Arc<BTreeSet<String>>,
    /// Where they may do it.
    pub reach: Reach,
    /// The person, where it is one who administers this installation: whose organization it is does not matter for that.
    pub installation_admin: Option<AccountId>,
}

impl Principal {
    /// Whether its scopes cover this one.
    pub fn may(&self, scope: &str) -> bool {
        self.scopes.contains("*") || self.scopes.contains(scope)
    }

    /// Whose requests are counted together, and whose `Idempotency-Key`s are different from all others.
    pub fn caller(&self) -> CallerId {
        match self.actor {
            Actor::ApiKey(id) => id.raw().into(),
            Actor::Operator(id) => id.raw().into(),
        }
    }
}
