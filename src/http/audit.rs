//! Who changed what: a line in the transaction of the first effect of a request, so that there is no change without it, and no line
//! without a change.
//!
//! What a request only reads leaves no line, whatever its method; what it stores leaves one, also by GET.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::{HttpMessage, HttpRequest, web};

use super::Ctx;
use super::principal::{Actor, Principal};
pub use crate::store::cause::{ActorKind, Name, Noted, Who};
use crate::store::cause::{Cause, First};
use crate::store::{Conn, StoreResult, beside, cause};
use kernel::{AuditId, RawId, Timestamp};

crate::spelled_fields!(ActorKind);

impl From<&Principal> for Who {
    fn from(principal: &Principal) -> Self {
        let (kind, id) = match principal.actor {
            Actor::ApiKey(id) => (ActorKind::ApiKey, id.raw()),
            Actor::Operator(id) => (ActorKind::Operator, id.raw()),
        };
        Self { organization: principal.organization, kind, id, name: Name::Known(Arc::clone(&principal.name)) }
    }
}

impl Noted {
    /// That of this request.
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
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
    /// What it changed first, as far as an event says so.
    pub first: Option<First>,
}

impl Made {
    /// The id of what was changed: the first one in the path, else that of what the first event is about.
    pub fn object(&self) -> Option<RawId> {
        let named = self.path.split('/').find_map(|part| part.parse().ok());
        named.or_else(|| self.first.as_ref()?.object)
    }
}

/// Writes a line, once however often it is asked to. Handed in, because lines belong to a slice above.
#[derive(Debug, Clone, Copy)]
pub struct Recorder(pub fn(&mut Conn, &Made) -> StoreResult<()>);

/// Longest path of a line.
const LONGEST_PATH: usize = 500;
/// Parts of a path that are as long are tokens: 256 bits are 43 letters. No id or name of an endpoint is.
const SHORTEST_TOKEN: usize = 40;

/// Answers a request: what it writes is caused by whoever is noted as its caller, and its line goes into the transaction of each
/// effect.
pub async fn during<F: Future>(request: ServiceRequest, answer: impl FnOnce(ServiceRequest) -> F) -> F::Output {
    during_as(Cause::Caller, request, answer).await
}

/// The same of drivers, who cause what they do also where nobody is noted.
pub async fn during_as<F: Future>(
    cause: fn(Noted) -> Cause,
    request: ServiceRequest,
    answer: impl FnOnce(ServiceRequest) -> F,
) -> F::Output {
    let noted = Noted::default();
    request.extensions_mut().insert(noted.clone());
    let line = line_of(&request, noted.clone());
    cause::with(cause(noted), beside::with(line, answer(request))).await
}

/// A path without the tokens of links, by which people get in.
fn shown(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.len() >= SHORTEST_TOKEN { "…" } else { part });
    parts.collect::<Vec<_>>().join("/").chars().take(LONGEST_PATH).collect()
}

fn line_of(request: &ServiceRequest, noted: Noted) -> beside::Beside {
    let shared = request.app_data::<Ctx>().zip(request.app_data::<web::Data<Recorder>>());
    let Some((context, recorder)) = shared else {
        return Arc::new(|_| Ok(()));
    };
    let (moment, record) = (context.moment(), recorder.get_ref().0);
    let (id, method) = (moment.id::<AuditId>(), request.method().clone());
    let path = shown(request.path());
    Arc::new(move |conn| match noted.who().cloned() {
        Some(who) => {
            let (method, path) = (method.clone(), path.clone());
            record(conn, &Made { id, who, method, path, at: moment.now, first: cause::first() })
        }
        None => Ok(()),
    })
}
