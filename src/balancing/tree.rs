//! One tree's balancing: cycle after cycle, never two at once, with the answers of stations in between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::again;
use super::apply;
use super::command_batch::{About, CommandBatch};
use super::current::{CurrentTree, CurrentTrees};
use super::cycle::{Decided, decide};
use super::escalation::shed_sessions;
use super::gather::Site;
use super::history::History;
use super::ledger_rows;
use super::levels::levels;
use super::plan_documents::Packer;
use super::replan::{Notes, ReplanRequests};
use super::rows::Rows;
use super::settings::Settings;
use super::state::State;
use super::store::{self, Record};
use crate::http::Context;
use crate::load::groups;
use crate::sites::stations::link::{LinkError, Outcome, SharedLink};
use crate::store::{StoreError, StoreResult};
use clock::Timer;
use engine::transition::{Ledger, SendPolicy, Ticket};
use engine::{Plan, Snapshot};
use kernel::{GroupId, Timestamp};

/// A station's answer and what it is about.
struct Answer {
    about: About,
    answer: Result<Outcome, LinkError>,
}

/// The balancing of one tree.
pub(super) struct Tree {
    root: GroupId,
    context: Context,
    link: SharedLink,
    settings: Settings,
    requests: Arc<ReplanRequests>,
    timer: Timer,
    /// `None` until it was loaded.
    state: Option<State>,
    /// What the stores have of the tree, as it was read.
    rows: Option<Rows>,
    /// Everything was looked at for it, so it need not do that itself.
    looked: bool,
    /// What the stores have of the state.
    saved: Arc<State>,
    current: Option<CurrentPlan>,
    /// The plan that was recorded last.
    recorded: Option<Arc<Plan>>,
    /// What makes rows of plans.
    packer: Packer,
    /// What it did over time.
    history: History,
    asked: JoinSet<Answer>,
    /// Where others see how it is doing.
    shown: CurrentTrees,
}

/// What the last cycle decided; answers carry on with it.
struct CurrentPlan {
    site: Arc<Site>,
    snapshot: Snapshot,
    plan: Arc<Plan>,
    /// When what else draws changes by itself: data goes stale.
    load_changes_at: Option<Timestamp>,
    /// False when it only plans, or when the plan breaks a promise.
    sends: bool,
}

/// Whether there is still something to balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Goes,
    Over,
}

impl Tree {
    pub(super) fn new(
        root: GroupId,
        (context, link): (Context, SharedLink),
        settings: Settings,
        requests: Arc<ReplanRequests>,
        shown: CurrentTrees,
    ) -> Self {
        Self {
            root,
            timer: context.clock.timer(),
            context,
            link,
            settings,
            requests,
            state: None,
            rows: None,
            looked: false,
            saved: Arc::default(),
            current: None,
            recorded: None,
            packer: Packer::default(),
            history: History::default(),
            asked: JoinSet::new(),
            shown,
        }
    }

    /// Balances until the group is no root any more.
    pub(super) async fn run(mut self) {
        loop {
            let (requests, idle_time) = (Arc::clone(&self.requests), self.idle_time());
            let outcome = tokio::select! {
                () = requests.requested() => self.replan_requested().await,
                Some(answer) = self.asked.join_next() => self.answered(answer.ok()).await,
                () = self.timer.sleep(idle_time) => self.cycle(Notes::default()).await,
            };
            match outcome {
                Ok(Life::Goes) => {}
                Ok(Life::Over) => return,
                Err(error) => {
                    tracing::warn!(group = %self.root, %error, "balancing cycle failed, retrying");
                    // What was not stored was not sent: go on from what the stores have.
                    self.state = None;
                    self.packer.forget();
                    self.timer.sleep(self.settings.settle.max(Duration::from_millis(100))).await;
                    self.requests.request("retry", |notes| notes.everything = true);
                }
            }
        }
    }

    /// How long nothing has to happen by itself.
    fn idle_time(&self) -> Duration {
        let now = self.context.clock.now();
        let due = self.state.as_ref().and_then(|state| state.ledger.due_at());
        let queue = self.current.as_ref().and_then(|current| current.plan.next_change_at);
        let site = self.current.as_ref().and_then(|current| current.site.changes_at(now));
        let load = self.current.as_ref().and_then(|current| current.load_changes_at);
        let next = due.into_iter().chain(queue).chain(site).chain(load).map(|at: Timestamp| at.since(now));
        // At least a little: what stays due, such as a repetition that is still due, must not spin.
        next.fold(self.longest_without_reading(), Duration::min).max(Duration::from_millis(50))
    }

    async fn replan_requested(&mut self) -> StoreResult<Life> {
        if !self.requests.is_look_only() {
            let settled = self.timer.sleep(self.settings.settle);
            self.requests.urgent_or(settled).await;
        }
        let notes = self.requests.take();
        self.cycle(notes).await
    }

    /// A cycle that is measured: how long it took, with what it read and stored, and whether it failed.
    async fn cycle(&mut self, notes: Notes) -> StoreResult<Life> {
        let begun = Instant::now();
        let done = self.cycle_once(notes).await;
        metrics::histogram!("evenwatt_balancing_cycle_seconds").record(begun.elapsed());
        let outcome = if done.is_ok() { "done" } else { "failed" };
        metrics::counter!("evenwatt_balancing_cycles_total", "outcome" => outcome).increment(1);
        done
    }

    /// Gathers, plans and says what may be said.
    async fn cycle_once(&mut self, mut notes: Notes) -> StoreResult<Life> {
        let root = self.root;
        let Some(mut site) = self.read(&mut notes).await? else {
            return self.retire().await;
        };
        site.note_online(self.link.as_ref());
        let (mut state, fresh) = self.take_state().await?;
        let now = self.context.clock.now();
        let Decided { snapshot, plan, loads, remarks, freshness, faults } =
            decide(&mut state, &mut site, &notes, fresh, &self.settings, now);
        if !faults.is_empty() {
            tracing::error!(group = %root, ?faults, "a plan breaks its promises and is not sent");
            metrics::counter!("evenwatt_balancing_faulty_plans_total").increment(1);
        }
        let current = CurrentPlan {
            sends: !site.dry_run && faults.is_empty(),
            site: Arc::new(site),
            snapshot,
            plan: Arc::new(plan),
            load_changes_at: loads.changes_at,
        };
        let mut record = Record::new(root, current.site.organization);
        record.trigger = notes.trigger.unwrap_or("tick");
        record.remarks = remarks;
        record.freshness = freshness;
        record.peaks = loads.higher_peaks(&current.site, now);
        record.faulty = !faults.is_empty();
        self.history.note(levels(&current.site, &state, &current.plan, &loads, now), now);
        record.history = self.history.take_finished(now);
        self.proceed(state, current, record).await?;
        Ok(Life::Goes)
    }

    /// After which time it reads everything itself: a look for all trees comes every tick.
    fn longest_without_reading(&self) -> Duration {
        if self.looked { self.settings.tick * 2 } else { self.settings.tick }
    }

    /// The site as the stores have it: what a look found, with what is known to be newer.
    async fn read(&mut self, notes: &mut Notes) -> StoreResult<Option<Site>> {
        let (root, now) = (self.root, self.context.clock.now());
        let whole = notes.whole || notes.everything;
        let looked = notes.looked.take().filter(|look| !whole && self.requests.reads() == Some(look.reads));
        let only_looked = looked.is_some() && notes.stations().is_empty() && !notes.top;
        if let Some(look) = looked {
            (self.rows, self.looked) = (Some(look.rows), true);
        }
        if !only_looked {
            let longest = self.longest_without_reading();
            let kept = self.rows.take().filter(|rows| !whole && now.since(rows.read_at) < longest);
            let (changed, readings_only) = (notes.stations(), notes.are_readings_only());
            self.requests.begin_to_read();
            let read = self.context.db.read(move |conn| match kept {
                Some(rows) if readings_only => rows.refresh_sessions(conn, root, &changed, now),
                Some(rows) => rows.refresh(conn, root, &changed, now),
                None => Rows::read(conn, root, now),
            });
            let read = read.await;
            let stations = read.as_ref().ok().and_then(Option::as_ref).map_or(0, |rows| rows.stations.len());
            self.requests.end_to_read(stations);
            self.rows = read?;
        }
        Ok(self.rows.as_ref().and_then(|rows| Site::of(rows, now)))
    }

    /// Answers that came carry the plan on, or lead to another when a station got out of hand.
    async fn answered(&mut self, first: Option<Answer>) -> StoreResult<Life> {
        let now = self.context.clock.now();
        let (mut state, _) = self.take_state().await?;
        let lost_before = lost(&state);
        let mut next = first;
        while let Some(Answer { about, answer }) = next {
            metrics::counter!("evenwatt_balancing_commands_total", "outcome" => outcome_of(&answer)).increment(1);
            apply::answered(&mut state, about, &answer, &self.settings, now);
            next = self.asked.try_join_next().and_then(Result::ok);
        }
        let lost_now = lost(&state);
        match self.current.take() {
            Some(current) if lost_now == lost_before => {
                let mut record = Record::new(self.root, current.site.organization);
                record.trigger = "answer";
                self.proceed(state, current, record).await?;
                Ok(Life::Goes)
            }
            _ => {
                self.state = Some(state);
                let notes = Notes { trigger: Some("uncontrolled"), ..Notes::default() };
                self.cycle(notes).await
            }
        }
    }

    /// Stores what is about to be said, then says it.
    async fn proceed(&mut self, mut state: State, current: CurrentPlan, mut record: Record) -> StoreResult<()> {
        let now = self.context.clock.now();
        let mut batches = Vec::new();
        if current.sends {
            let CurrentPlan { site, snapshot, plan, .. } = &current;
            batches = apply::batches(&mut state, site, snapshot, plan, &self.settings, now);
            for (batch, connector, remark) in shed_sessions(&mut state, site, snapshot, now) {
                batches.push(batch);
                record.remarks.push((connector, remark));
            }
        }
        if !current.site.dry_run {
            batches.extend(self.releases(&mut state).await?);
        }
        if self.recorded.as_ref().is_none_or(|last| !store::says_the_same(last, &current.plan)) {
            let id = self.context.moment().id();
            let packed = self.packer.pack(id, &current.snapshot, &current.plan)?;
            record.keep((id, current.plan.now), packed, self.settings.plans_kept);
            state.plan = Some(id);
        }
        if !current.site.dry_run {
            record.judge(&mut state, &current.snapshot, &current.plan, now);
        }
        state.note_allowed(now);
        let over_limit = record.over_limit;
        state = self.save(state, record).await?;
        self.recorded = Some(Arc::clone(&current.plan));
        let (site, plan) = (Arc::clone(&current.site), Arc::clone(&current.plan));
        self.shown.note(self.root, CurrentTree { site, state: Arc::clone(&self.saved), plan, over_limit });
        (self.state, self.current) = (Some(state), Some(current));
        for batch in batches {
            self.ask(batch);
        }
        Ok(())
    }

    async fn releases(&self, state: &mut State) -> StoreResult<Vec<CommandBatch>> {
        if state.leaving.is_empty() {
            return Ok(Vec::new());
        }
        let (root, stations) = (self.root, state.leaving.values().map(|gone| gone.station).collect::<Vec<_>>());
        let in_other_trees = self.context.db.read(move |conn| -> StoreResult<Vec<_>> {
            let mut in_other_trees = Vec::new();
            for station in stations {
                let now_in = groups::root_of_station(conn, station)?;
                if now_in.is_some_and(|other| other != root) {
                    in_other_trees.push(station);
                }
            }
            Ok(in_other_trees)
        });
        let in_other_trees = in_other_trees.await?;
        // A station in another tree gets its limits from there; they replace ours.
        state.leaving.retain(|_, gone| !in_other_trees.contains(&gone.station));
        Ok(apply::releases(state, |station| self.link.is_online(station)))
    }

    fn ask(&mut self, CommandBatch { station, commands, about }: CommandBatch) {
        let link = Arc::clone(&self.link);
        let current = self.current.as_ref();
        if let (About::Again(_, ended), Some(current)) = (about, current) {
            let (context, organization) = (self.context.clone(), current.site.organization);
            self.asked.spawn(async move {
                let answer = again::carry_out(&context, &link, organization, ended).await;
                Answer { about, answer }
            });
            return;
        }
        self.asked.spawn(async move {
            let mut answer = Err(LinkError::Offline);
            for command in commands {
                answer = link.send(station, command).await;
            }
            Answer { about, answer }
        });
    }

    /// The state, loaded when there is none yet; then everything in it is doubtful.
    async fn take_state(&mut self) -> StoreResult<(State, bool)> {
        if let Some(state) = self.state.take() {
            return Ok((state, false));
        }
        self.asked.abort_all();
        let root = self.root;
        let load = self.context.db.read(move |conn| ledger_rows::load(conn, root));
        let mut state = load.await?.unwrap_or_default();
        self.saved = Arc::new(state.clone());
        let protocol = SendPolicy { refresh_seconds: Some(self.settings.limit_seconds / 2), ..SendPolicy::default() };
        match state.connectors.is_empty() {
            true => state.ledger = Ledger::new(protocol),
            false => state.ledger.protocol = protocol,
        }
        let until = self.context.clock.now() + Duration::from_secs(self.settings.limit_seconds.into());
        for (connector, memory) in &mut state.connectors {
            memory.fallback.in_flight = false;
            if memory.sent_limits.is_empty() {
                // Of a store that did not keep it yet.
                memory.sent_limits.sent(Ticket::default(), (state.ledger.exposure(*connector), 3), until);
            }
        }
        for leaving in state.leaving.values_mut() {
            leaving.in_flight = false;
        }
        Ok((state, true))
    }

    async fn save(&mut self, state: State, record: Record) -> StoreResult<State> {
        if state == *self.saved && record.is_empty() {
            return Ok(state);
        }
        let moment = self.context.moment();
        let (before, now) = (Arc::clone(&self.saved), Arc::new(state.clone()));
        self.saved = Arc::clone(&now);
        self.context.db.write(move |conn| record.write(conn, &moment, (&before, &now))).await?;
        Ok(state)
    }

    /// The group was deleted or hangs below another now: that tree's balancing knows nothing and assumes the full exposure.
    async fn retire(&mut self) -> StoreResult<Life> {
        let root = self.root;
        self.shown.forget(root);
        let forget = self.context.db.write(move |conn| -> Result<(), StoreError> { ledger_rows::forget(conn, root) });
        forget.await?;
        Ok(Life::Over)
    }
}

/// A word for what became of a command.
const fn outcome_of(answer: &Result<Outcome, LinkError>) -> &'static str {
    match answer {
        Ok(outcome) if outcome.accepted => "accepted",
        Ok(_) | Err(LinkError::Refused { .. } | LinkError::Invalid(_)) => "refused",
        Err(LinkError::Superseded) => "superseded",
        Err(LinkError::Silent) => "silent",
        Err(LinkError::Dropped | LinkError::Offline | LinkError::QueueFull) => "not_sent",
    }
}

/// How many connectors are uncontrolled.
fn lost(state: &State) -> usize {
    let connectors = state.connectors.keys();
    connectors.filter(|id| state.ledger.uncontrolled(**id).is_some()).count()
}
