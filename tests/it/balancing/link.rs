//! Stations that a test can make accept, refuse or be silent, and that remember everything they were sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use evenwatt::sites::stations::link::{
    Enforced, LimitPurpose, LinkError, Outcome, SetLimit, StationCommand, StationLink,
};
use kernel::{StationId, Watts};
use serde_json::json;

/// What a station answers to limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    #[default]
    Accepts,
    Refuses,
    /// It takes the limit, but its answer is lost.
    Silent,
    /// It does not hear of it, and its answer never comes.
    Hangs,
}

/// A link to stations that exist only here.
#[derive(Clone, Default)]
pub struct FakeLink(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    online: BTreeSet<StationId>,
    manners: BTreeMap<StationId, Manner>,
    sent: Vec<(StationId, StationCommand)>,
    live: BTreeMap<StationId, Watts>,
    enforced: BTreeMap<StationId, Enforced>,
    most: Watts,
    in_watts: bool,
}

impl FakeLink {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no test panicked here")
    }
    pub fn connect(&self, station: StationId) {
        self.inner().online.insert(station);
    }
    pub fn drop_connection(&self, station: StationId) {
        self.inner().online.remove(&station);
    }
    pub fn behave(&self, station: StationId, manner: Manner) {
        self.inner().manners.insert(station, manner);
    }
    /// The live limit a station enforces.
    pub fn live(&self, station: StationId) -> Option<Watts> {
        self.inner().live.get(&station).copied()
    }
    /// What a station answers when it is asked what it enforces.
    pub fn enforce(&self, station: StationId, enforced: Enforced) {
        self.inner().enforced.insert(station, enforced);
    }
    /// Stations take limits in watts from now on.
    pub fn take_watts(&self) {
        self.inner().in_watts = true;
    }
    /// The live limit of a station runs out, and this is what it falls back to.
    pub fn expire(&self, station: StationId, fallback: Watts) {
        self.inner().live.insert(station, fallback);
    }
    /// Everything that was sent, in order.
    pub fn sent(&self) -> Vec<(StationId, StationCommand)> {
        self.inner().sent.clone()
    }
    /// The live limits that were sent, in order.
    pub fn live_limits(&self) -> Vec<(StationId, SetLimit)> {
        let is_live = |(station, command)| match command {
            StationCommand::SetLimit(limit) if limit.purpose == LimitPurpose::Live => Some((station, limit)),
            _ => None,
        };
        self.sent().into_iter().filter_map(is_live).collect()
    }
    /// Those of one station.
    pub fn live_limits_of(&self, station: StationId) -> Vec<SetLimit> {
        let sent = self.live_limits().into_iter();
        sent.filter(|(sent, _)| *sent == station).map(|(_, limit)| limit).collect()
    }
    /// Forgets what was sent, and watches the sum of all live limits from now on.
    pub fn watch(&self) {
        let mut inner = self.inner();
        inner.sent.clear();
        inner.most = inner.live.values().copied().sum();
    }
    /// The largest sum of live limits since then.
    pub fn most(&self) -> Watts {
        self.inner().most
    }
}

#[async_trait]
impl StationLink for FakeLink {
    fn is_online(&self, station: StationId) -> bool {
        self.inner().online.contains(&station)
    }

    async fn send(&self, station: StationId, command: StationCommand) -> Result<Outcome, LinkError> {
        tokio::task::yield_now().await;
        if self.inner().manners.get(&station) == Some(&Manner::Hangs) {
            std::future::pending::<()>().await;
        }
        let mut inner = self.inner();
        if !inner.online.contains(&station) {
            return Err(LinkError::Offline);
        }
        let manner = inner.manners.get(&station).copied().unwrap_or_default();
        inner.sent.push((station, command.clone()));
        if let StationCommand::SetLimit(limit) = &command
            && limit.purpose == LimitPurpose::Live
            && manner != Manner::Refuses
        {
            inner.live.insert(station, limit.limit);
            let sum = inner.live.values().copied().sum();
            inner.most = inner.most.max(sum);
        }
        let answer = |accepted| Outcome {
            accepted,
            status: None,
            data: json!({}),
            never_expires: false,
            ends_with_transaction: false,
            in_watts: inner.in_watts,
            enforced: match &command {
                StationCommand::GetCompositeSchedule { .. } => inner.enforced.get(&station).copied(),
                _ => None,
            },
            refuses_zero: false,
        };
        match manner {
            Manner::Accepts => Ok(answer(true)),
            Manner::Refuses => Ok(answer(false)),
            Manner::Silent | Manner::Hangs => Err(LinkError::Silent),
        }
    }

    fn disconnect(&self, station: StationId) -> bool {
        self.inner().online.remove(&station)
    }
}
