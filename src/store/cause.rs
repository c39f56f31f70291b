//! What causes the writes of a task: whoever calls, a station, balancing, a driver, or the server itself.
//!
//! A task takes its cause along to the thread that writes for it: each of the works that share a commit has its own. What is said
//! nowhere is done by the server.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use super::connection::Conn;
use super::error::StoreResult;
use kernel::{OrganizationId, RawId, StationId};

kernel::spelled! {
    /// What kind of actor changed something.
    pub enum ActorKind {
        /// A program with an API key.
        ApiKey = "api_key",
        /// A person at the panel.
        Operator = "operator",
        /// A home user at the portal.
        HomeUser = "home_user",
        /// A driver, with or without a login.
        Driver = "driver",
        /// A charge station.
        Station = "station",
        /// Load management, as it shares power.
        Balancing = "balancing",
        /// The server itself.
        Server = "server",
    }
}
crate::text_column!(spelled ActorKind);

kernel::spelled! {
    /// A part of the server that acts by itself.
    pub enum ServerPart {
        /// Deletes what is old.
        Retention = "retention",
        /// Ends what is overdue.
        Timer = "timer",
        /// Sets stations up that connected.
        Provisioning = "provisioning",
        /// Opens and closes stations with their locations.
        OpeningHours = "opening hours",
        /// Removes what acceptance tests left.
        AcceptanceTests = "acceptance tests",
        /// Delivers events.
        Webhooks = "webhooks",
        /// Watches who connects as a station.
        AccessControl = "access control",
        /// Puts things in order when the server starts.
        Startup = "startup",
        /// The command line of the program.
        CommandLine = "command line",
    }
}

/// What somebody is called at this instant.
#[derive(Debug, Clone)]
pub enum Name {
    /// It is known already.
    Known(Arc<str>),
    /// It is looked up once something is written.
    Of(fn(&mut Conn, OrganizationId, RawId) -> StoreResult<String>),
}

/// Who makes a request.
#[derive(Debug, Clone)]
pub struct Who {
    /// Whose data is changed.
    pub organization: OrganizationId,
    /// What kind of caller it is.
    pub kind: ActorKind,
    /// Their id.
    pub id: RawId,
    /// What they are called.
    pub name: Name,
}

impl Who {
    /// What they are called now.
    pub fn name(&self, conn: &mut Conn) -> StoreResult<String> {
        match &self.name {
            Name::Known(name) => Ok(name.to_string()),
            Name::Of(look_up) => look_up(conn, self.organization, self.id),
        }
    }
}

/// Where it is noted who makes a request, once that is known.
#[derive(Debug, Clone, Default)]
pub struct Noted(Arc<OnceLock<Who>>);

impl Noted {
    /// Notes who it is; the first counts.
    pub fn note(&self, who: impl FnOnce() -> Who) {
        self.0.get_or_init(who);
    }

    /// Who it is, where that is known.
    pub fn who(&self) -> Option<&Who> {
        self.0.get()
    }
}

/// What causes a write.
#[derive(Debug, Clone)]
pub enum Cause {
    /// A request, whose caller is noted when they are known.
    Caller(Noted),
    /// A request of a driver, who is noted where they are logged in.
    Driver(Noted),
    /// What a station said or did.
    Station(StationId),
    /// Balancing.
    Balancing,
    /// A part of the server.
    Server(ServerPart),
}

/// The first event of a write: what was changed, in short.
#[derive(Debug, Clone)]
pub struct First {
    /// What happened.
    pub event: Cow<'static, str>,
    /// The id of the object.
    pub object: Option<RawId>,
    /// The station that it is about.
    pub station: Option<StationId>,
}

tokio::task_local! {
    static CAUSE: Cause;
}

thread_local! {
    static FIRST: RefCell<Option<First>> = const { RefCell::new(None) };
}

/// Runs `work`; what it writes has this cause.
pub async fn with<F: Future>(cause: Cause, work: F) -> F::Output {
    CAUSE.scope(cause, work).await
}

/// The same for work that waits for nothing.
pub fn during<T>(cause: Cause, work: impl FnOnce() -> T) -> T {
    CAUSE.sync_scope(cause, work)
}

/// Work for a task of its own: what it writes has the cause of the task that begins it.
pub fn along<F: Future>(work: F) -> impl Future<Output = F::Output> + use<F> {
    let cause = here();
    async move {
        match cause {
            Some(cause) => with(cause, work).await,
            None => work.await,
        }
    }
}

/// The cause of what is written here, where one is said.
pub fn here() -> Option<Cause> {
    CAUSE.try_with(Clone::clone).ok()
}

/// Keeps what was changed, where it is the first of this write.
pub fn note_first(first: impl FnOnce() -> First) {
    FIRST.with_borrow_mut(|kept| {
        kept.get_or_insert_with(first);
    });
}

/// What this write changed first, as far as that was noted.
pub fn first() -> Option<First> {
    FIRST.with_borrow(Clone::clone)
}

/// Runs a work of a writer's thread, which has this cause and has changed nothing yet.
pub(super) fn run<T>(cause: Option<&Cause>, work: impl FnOnce() -> T) -> T {
    let Some(cause) = cause else {
        return work();
    };
    if matches!(cause, Cause::Caller(_) | Cause::Driver(_)) {
        FIRST.set(None);
    }
    during(cause.clone(), work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part() -> Option<ServerPart> {
        match here() {
            Some(Cause::Server(part)) => Some(part),
            _ => None,
        }
    }

    #[actix_web::test]
    async fn a_task_that_is_spawned_has_a_cause_only_where_it_is_taken_along() {
        let retention = Cause::Server(ServerPart::Retention);
        let (taken, left) = with(retention.clone(), async {
            let taken = actix_web::rt::spawn(along(async { part() }));
            let left = actix_web::rt::spawn(async { part() });
            (taken.await, left.await)
        })
        .await;
        assert_eq!(taken.expect("a task"), Some(ServerPart::Retention));
        assert_eq!(left.expect("a task"), None);
        assert_eq!(part(), None);
        let inner = || run(Some(&Cause::Server(ServerPart::Timer)), part);
        assert_eq!(during(retention, || (inner(), part())), (Some(ServerPart::Timer), Some(ServerPart::Retention)));
    }
}
