//! Who changed what: a line in the transaction of the first effect of a request, so that there is no change without it, and no line
//! without a change.
//!
//! What a request only reads leaves no line, whatever its method; what it stores leaves one, also by GET.

use std::sync::{Arc, OnceLock};

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::{HttpMessage, HttpRequest, web};

use super::Ctx;
use super::principal::{Actor, Principal};
use crate::store::{Conn, StoreResult, beside};
use kernel::{AuditId, OrganizationId, RawId, Timestamp};

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

/// Who makes a request.
#[derive(Debug, Clone)]
pub struct Who {
    /// Whose data is changed.
    pub organization: OrganizationId,
    /// What kind of caller it is.
    pub kind: ActorKind,
    /// Their id.
    pub id: RawId,
    /// What they are called at this instant, where that is known already.
    pub name: Option<Arc<str>>,
}

impl From<&Principal> for Who {
    fn from(principal: &Principal) -> Self {
        let (kind, id) = match principal.actor {
            Actor::ApiKey(id) => (ActorKind::ApiKey, id.raw()),
            Actor::Operator(id) => (ActorKind::Operator, id.raw()),
        };
        Self { organization: principal.organization, kind, id, name: Some(Arc::clone(&principal.name)) }
    }
}

/// Where it is noted who makes a request, once that is known.
#[derive(Debug, Clone, Default)]
pub struct Noted(Arc<OnceLock<Who>>);

impl Noted {
    /// That of this request.
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }

    /// Notes who it is, for the line of what the request changes; the first counts.
    pub fn note(&self, who: impl FnOnce() -> Who) {
        self.0.get_or_init(who);
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
    pub method: Method,
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

/// What goes into the transaction of each effect of a request: its line, where it is noted who makes it.
pub fn line_of(request: &ServiceRequest) -> beside::Beside {
    let shared = request.app_data::<Ctx>().zip(request.app_data::<web::Data<Recorder>>());
    let Some((context, recorder)) = shared else {
        return Arc::new(|_| Ok(()));
    };
    let (moment, record, noted) = (context.moment(), recorder.get_ref().0, Noted::default());
    request.extensions_mut().insert(noted.clone());
    let (id, method) = (moment.id::<AuditId>(), request.method().clone());
    let path: String = request.path().chars().take(LONGEST_PATH).collect();
    Arc::new(move |conn| match noted.0.get().cloned() {
        Some(who) => record(conn, &Made { id, who, method: method.clone(), path: path.clone(), at: moment.now }),
        None => Ok(()),
    })
}
