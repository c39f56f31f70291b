//! Background loops: small jobs on a timer, each logged when it fails and tried again in the next period.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::config;
use super::retention::Retention;
use crate::charging::driver::{self, DriverAccess};
use crate::charging::sessions::Session;
use crate::events;
use crate::gateway::connections::Connections;
use crate::home::portal::Portal;
use crate::http::Context;
use crate::http::middleware::AuthGuard;
use crate::panel::operators::{self, Accounts};
use crate::sites::stations::link::{Signal, SignalKind, Signals};
use crate::store::StoreResult;
use crate::store::cause::{self, Cause, ServerPart};
use crate::{
    charging::reservations, charging::sessions, home::portal, home::priority_charges, market::offers, sites::stations,
};
use clock::SharedClock;

/// How often stations' last words are written down.
const TOUCH_EVERY: Duration = Duration::from_secs(30);
/// How often sessions that never started or never ended are looked for, and offers that time moved on.
const TIDY_EVERY: Duration = Duration::from_secs(5);
/// How often quiet API keys, what is over at the portal, and what is old are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Starts the loops; they end when their handles are aborted.
pub fn start(
    context: &Context,
    connections: &Connections,
    (keeper, accounts, portal, drivers): (
        web::Data<AuthGuard>,
        web::Data<Accounts>,
        web::Data<Portal>,
        web::Data<DriverAccess>,
    ),
    (days, patience): (&config::Retention, sessions::Patience),
    signals: &Signals,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let retention = Arc::new(Mutex::new(Retention::new(days, FORGET_EVERY)?));
    let clock = &context.clock;
    let (touching, seen) = (context.clone(), connections.clone());
    let (tidying, forgetting) = (context.clone(), context.clone());
    let signals = signals.clone();
    Ok(vec![
        every("note when stations were heard", clock, TOUCH_EVERY, move || {
            let (context, seen) = (touching.clone(), seen.newly_seen());
            async move {
                if seen.is_empty() {
                    return Ok(());
                }
                context.db.write(move |conn| stations::touch_messages(conn, &seen)).await
            }
        }),
        every("end what is overdue", clock, TIDY_EVERY, move || {
            let (context, signals) = (tidying.clone(), signals.clone());
            async move {
                let moment = context.moment();
                let tidied = context.db.write_to_memory(move |conn| -> StoreResult<Vec<Session>> {
                    sessions::cancel_overdue(conn, &moment)?;
                    reservations::expire(conn, &moment)?;
                    let over = sessions::close_abandoned(conn, &moment, &patience)?;
                    priority_charges::expire(conn, &moment)?;
                    offers::record_changes(conn, &moment)?;
                    Ok(over)
                });
                for session in tidied.await? {
                    if let Some(connector) = session.connector_id {
                        signals.notify(Signal {
                            organization: session.organization_id,
                            station: session.chargestation_id,
                            kind: SignalKind::SessionEnded(connector, session.id),
                        });
                    }
                }
                Ok(())
            }
        }),
        every("forget what is old", clock, FORGET_EVERY, move || {
            keeper.forget_quiet_keys();
            accounts.forget_quiet_addresses();
            portal.forget_quiet_addresses();
            drivers.forget_quiet_addresses();
            let (context, retention) = (forgetting.clone(), Arc::clone(&retention));
            async move {
                let now = context.clock.now();
                context.db.write(move |conn| portal::tidy(conn, now)).await?;
                context.db.write(move |conn| operators::tidy(conn, now)).await?;
                context.db.write(move |conn| driver::tidy(conn, now)).await?;
                context.db.write_to_memory(move |conn| sessions::write_down(conn, now)).await?;
                events::pack(&context.db, now).await?;
                retention.lock().await.apply(&context).await
            }
        }),
    ])
}

fn every<F, W>(job: &'static str, clock: &SharedClock, period: Duration, mut work: F) -> JoinHandle<()>
where
    F: FnMut() -> W + Send + 'static,
    W: Future<Output = StoreResult<()>> + Send,
{
    let mut ticks = clock.ticks(period);
    tokio::spawn(async move {
        loop {
            ticks.tick().await;
            if let Err(error) = cause::with(Cause::Server(ServerPart::Timer), work()).await {
                tracing::error!(%error, job, "a background job failed and is tried again later");
            }
        }
    })
}
