//! Who changed what: a line in the transaction of the first effect of a request, so that there is no change without it, and no line
//! without a change.
//!
//! What a request only reads leaves no line, whatever its method; what it stores leaves one, also by GET.

use std::sync::{Arc, OnceLock};

use actix_web::dev::ServiceRequest;
use actix_web::{HttpMessage, HttpRequest, web};

use super::Ctx;
use super::principal::{Actor, Principal};
use crate::store::{Conn, StoreResult, beside};
use kernel::{AuditId, OrganizationId, Timestamp};

crate::spelled! {
    /// What kind of caller changed something.
    pub enum ActorKind {
        /// A program with an API key.
        ApiKey = "api_key",
        /// A person at the panel.
        Operator = "operator",
        /// A home user at the portal.
        HomeUser = "home_user",
    }
}
crate::text_column!(spelled ActorKind);

/// Who makes a request, with the name they have at this instant.
#[derive(Debug, Clone)]
pub struct Who {
    /// Whose data is changed.
    pub organization: OrganizationId,
    /// What kind of caller it is.
    pub kind: ActorKind,
    /// Their id.
    pub id: String,
    /// What they are called, where that is known already.
    pub name: Option<String>,
}

impl From<&Principal> for Who {
    fn from(principal: &Principal) -> Self {
        let (kind, id) = match principal.actor {
            Actor::ApiKey(id) => (ActorKind::ApiKey, id.to_string()),
            Actor::Operator(id) => (ActorKind::Operator, id.to_string()),
        };
        Self { organization: principal.organization, kind, id, name: Some(principal.name.to_string()) }
    }
}

/// Where it is noted who makes a request, once that is known.
#[derive(Debug, Clone, Default)]
pub struct Noted(Arc<OnceLock<Who>>);

/// Notes who makes a request, for the line of what it changes.
pub fn note(request: &HttpRequest, who: impl FnOnce() -> Who) {
    if let Some(Noted(noted)) = request.extensions().get::<Noted>() {
        noted.get_or_init(who);
    }
}

/// A request that changes something.
#[derive(Debug, Clone)]
pub struct Made {
    /// The id of its line.
    pub id: AuditId,
    /// Who made it.
    pub who: Who,
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// When.
    pub at: Timestamp,
}

/// Writes a line, once however often it is asked to. Handed in, because lines belong to a slice above.
#[derive(Debug, Clone, Copy)]
pub struct Recorder(pub fn(&mut Conn, &Made) -> StoreResult<()>);

/// Longest path of a line.
const LONGEST_PATH: usize = 500;

/// What goes into the transaction of each effect of a request: its line.
pub fn line_of(request: &ServiceRequest) -> beside::Beside {
    let shared = request.app_data::<Ctx>().zip(request.app_data::<web::Data<Recorder>>());
    let Some((context, recorder)) = shared else {
        return Arc::new(|_| Ok(()));
    };
    let Recorder(record) = ***recorder;
    let (moment, Noted(noted)) = (context.moment(), Noted::default());
    request.extensions_mut().insert(Noted(Arc::clone(&noted)));
    let (id, method) = (moment.id::<AuditId>(), request.method().to_string());
    let path: String = request.path().chars().take(LONGEST_PATH).collect();
    Arc::new(move |conn| {
        let Some(who) = noted.get().cloned() else {
            return Ok(()); // nobody who is known
        };
        record(conn, &Made { id, who, method: method.clone(), path: path.clone(), at: moment.now })
    })
}
