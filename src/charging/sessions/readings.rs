//! Meter values: recorded once each, and what they show of their session.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::chunks::Whose;
use super::energy::{believed, marks_of_one_message};
use super::energy_report::{EnergyReport, SessionReport};
use super::evidence::{self, Evidence, Source};
use super::metering::{self, Attribution};
use super::model::Session;
use super::open::Outcome;
use super::packed::Stored;
use super::placing::assign_connector_by_readings;
use super::shelf::{self, Known, Shelf, complete, known};
use super::store::record;
use super::{corrections, cost, store};
use crate::events::EventKind;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// How often `session.updated` is recorded at most.
const RECORDED_EVERY: Duration = Duration::from_secs(30);

/// What a meter measured at one instant, in one unit each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The energy register.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub energy: Option<WattHours>,
    /// The power drawn.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub power: Option<Watts>,
    /// Whether the power is only what current and voltage make.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub power_is_derived: bool,
    /// The current of each phase.
    #[serde(default)]
    pub current: [Option<Milliamps>; 3],
    /// The voltage of each phase to neutral.
    #[serde(default)]
    pub voltage: [Option<Millivolts>; 3],
    /// The battery's state of charge, in percent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub soc_percent: Option<u8>,
    /// The energy since the value before, where it is reported like that.
    #[serde(rename = "interval_mwh", skip_serializing_if = "Option::is_none", default)]
    pub interval: Option<MilliwattHours>,
}

impl Reading {
    /// The same with what another message reported of the same instant; nothing where it reports something else of what is
    /// known, so that it cannot be the same instant. A power that was reported counts more than one that was derived.
    pub(super) fn with(&self, other: &Self) -> Option<Self> {
        let (power, power_is_derived) = match (self.power, other.power) {
            (Some(_), Some(_)) if other.power_is_derived => (self.power, self.power_is_derived),
            (Some(_), Some(_)) if self.power_is_derived => (other.power, false),
            (known, reported) => (one_of(known, reported)?, self.power_is_derived || other.power_is_derived),
        };
        Some(Self {
            energy: one_of(self.energy, other.energy)?,
            power,
            power_is_derived,
            current: each_of(self.current, other.current)?,
            voltage: each_of(self.voltage, other.voltage)?,
            soc_percent: one_of(self.soc_percent, other.soc_percent)?,
            interval: one_of(self.interval, other.interval)?,
        })
    }
}

/// What is reported by one of both, or by both alike.
fn one_of<T: Copy + PartialEq>(known: Option<T>, reported: Option<T>) -> Option<Option<T>> {
    let is_same = known.is_none() || reported.is_none() || known == reported;
    is_same.then(|| known.or(reported))
}

fn each_of<T: Copy + PartialEq>([a, b, c]: [Option<T>; 3], [x, y, z]: [Option<T>; 3]) -> Option<[Option<T>; 3]> {
    Some([one_of(a, x)?, one_of(b, y)?, one_of(c, z)?])
}

/// A reading with its time, its context and the text it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When it was measured, put into our clock.
    pub at: Timestamp,
    /// The time that the station sent, as it stands there.
    #[serde(rename = "told_at")]
    pub station_time: Timestamp,
    /// Why: `Sample.Periodic`, `Transaction.Begin`, …
    pub context: Cow<'static, str>,
    /// What was measured.
    pub reading: Reading,
    /// As it came.
    pub raw: Arc<str>,
    /// What had to be assumed or left out, each kind once.
    #[serde(default)]
    pub flags: Vec<String>,
    /// What is signed in it.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// Meter values of one connector.
#[derive(Debug, Clone)]
pub struct MeterReport {
    /// Whose they are.
    pub organization: OrganizationId,
    /// The station.
    pub station: StationId,
    /// The connector; none where the station named none that is set up.
    pub connector: Option<ConnectorId>,
    /// The transaction the station says they belong to, if it says so.
    pub transaction: Option<i64>,
    /// The readings, oldest first.
    pub samples: Vec<Sample>,
}

impl MeterReport {
    /// A source without a session.
    fn source(&self, connector: Option<ConnectorId>) -> Source {
        Source { organization: self.organization, station: self.station, connector, session: None }
    }
}

impl Session {
    /// Where what is known of it comes from.
    pub(super) fn source(&self, connector: Option<ConnectorId>) -> Source {
        Source { organization: self.organization_id, station: self.chargestation_id, connector, session: Some(self.id) }
    }
}

/// Records meter values; what is already known is left as it is. Answers the session that they are about, as it is now.
///
/// Values that name a transaction of ours are its own, whatever connector they name. Where it is over they change nothing of
/// it, unless its end was assumed: those from before its end are kept with it, and later ones belong to the session that runs
/// at the connector, if one does. What is signed in them is its evidence all the same.
pub fn record_readings(conn: &mut Conn, moment: &Moment, report: &MeterReport) -> StoreResult<Option<Arc<Session>>> {
    let of_transaction = match report.transaction.filter(|id| *id > 0) {
        Some(id) => store::find_by_transaction(conn, report.station, id)?,
        None => None,
    };
    let Some(mut session) = of_transaction else {
        return record_unnamed(conn, moment, report);
    };
    if let Some(latest) = report.samples.last() {
        let at = believed(latest.at, moment.now);
        corrections::revive(conn, moment, &mut session, at)?;
    }
    if !session.is_open() {
        return record_late(conn, moment, report, session);
    }
    if let Some(connector) = report.connector {
        session = assign_connector_by_readings(conn, moment, session, connector)?;
    }
    let heard = (session, Attribution::Named);
    follow(conn, moment, &report.samples, heard).map(Some)
}

/// Values that name no transaction of ours.
fn record_unnamed(conn: &mut Conn, moment: &Moment, report: &MeterReport) -> StoreResult<Option<Arc<Session>>> {
    let Some(connector) = report.connector else {
        return Ok(None);
    };
    if let Some(session) = store::open_session_on(conn, connector)? {
        let heard = (session, Attribution::Unnamed);
        return follow(conn, moment, &report.samples, heard).map(Some);
    }
    for sample in &report.samples {
        keep(conn, moment, report.source(Some(connector)), sample)?;
    }
    Ok(None)
}

/// Values that name a transaction which is over.
fn record_late(
    conn: &mut Conn,
    moment: &Moment,
    report: &MeterReport,
    mut over: Session,
) -> StoreResult<Option<Arc<Session>>> {
    let place = over.connector_id.or(report.connector);
    let end = over.ended_at.unwrap_or(moment.now);
    let is_assumed = over.is_over_by_assumption();
    let running = match place {
        Some(connector) => store::open_session_on(conn, connector)?,
        None => None,
    };
    let began = running.as_ref().and_then(|running| running.started_at);
    let (mut own, mut later) = (Vec::new(), Vec::new());
    for sample in &report.samples {
        let at = believed(sample.at, moment.now);
        evidence::keep(conn, moment, over.source(place), sample)?;
        if at > end && began.is_some_and(|began| at >= began) {
            later.push(sample.clone());
        } else if is_assumed {
            own.push(sample.clone());
        } else if at <= end {
            keep(conn, moment, over.source(place), sample)?;
        } else {
            keep(conn, moment, report.source(place), sample)?;
        }
    }
    if !own.is_empty() {
        over = corrections::correct(conn, moment, over, &own)?;
    }
    match running.filter(|_| !later.is_empty()) {
        Some(running) => {
            let heard = (running, Attribution::Foreign);
            follow(conn, moment, &later, heard).map(Some)
        }
        None => Ok(Some(Arc::new(over))),
    }
}

/// Records values of a session that runs, and what they show of it.
fn follow(
    conn: &mut Conn,
    moment: &Moment,
    samples: &[Sample],
    (mut session, attribution): (Session, Attribution),
) -> StoreResult<Arc<Session>> {
    let connector = session.connector_id;
    if !take_in(conn, moment, &mut session, connector, (samples, attribution))? {
        return Ok(Arc::new(session));
    }
    session.updated_at = moment.version_after(session.updated_at);
    let is_due = session.reported_at.is_none_or(|last| moment.now.since(last) >= RECORDED_EVERY);
    if is_due {
        session.reported_at = Some(moment.now);
    }
    if is_due || session.target.0.cost.is_some() {
        let until = session.latest_at.unwrap_or(moment.now);
        cost::compute(conn, &mut session, until)?;
    }
    let session = Arc::new(session);
    store::save_metrics(conn, &session)?;
    if is_due {
        record(conn, moment, &session, EventKind::SessionUpdated)?;
    }
    Ok(session)
}

/// Takes the samples of one message into a session and stores them; whether they reported anything that was not known.
pub(super) fn take_in(
    conn: &mut Conn,
    moment: &Moment,
    session: &mut Session,
    connector: Option<ConnectorId>,
    (samples, attribution): (&[Sample], Attribution),
) -> StoreResult<bool> {
    let times = samples.iter().map(|sample| (sample.at, sample.station_time));
    let marks = marks_of_one_message(&times.collect::<Vec<_>>(), moment.now);
    let (mut news, source) = (false, session.source(connector));
    let shelf = Shelf::of(session)?;
    shelf.begin(session, moment.now, attribution);
    for (sample, mark) in samples.iter().zip(marks) {
        evidence::keep(conn, moment, source, sample)?;
        news |= session.note_oddities(sample);
        if sample.reading == Reading::default() {
            shelf.note(session.id, sample, Outcome::Known);
            continue;
        }
        // A clock that stands still, or begins anew at each boot, reported the same of other sessions.
        let is_its_time = session.started_at.is_none_or(|start| sample.at >= start);
        let whose = is_its_time.then_some(session.id);
        let known = match connector {
            Some(connector) => known(conn, connector, whose, sample)?,
            None => None,
        };
        if known.as_ref().is_some_and(Known::is_complete) {
            shelf.note(session.id, sample, Outcome::Known);
            continue; // reported before
        }
        news = true;
        let (at, is_now) = metering::observe(conn, session, sample, mark, attribution)?;
        let delivered = is_now.then_some(session.energy);
        match (known, connector) {
            (Some(known), Some(_)) => {
                session.complete_report(at, &known.together);
                shelf.complete(conn, session.id, known, sample, delivered)?;
            }
            (None, Some(connector)) => {
                let whose = Whose { connector, session: Some(session.id) };
                shelf.add(conn, whose, sample, Stored::of(sample, moment.now, (at, delivered)))?;
            }
            (_, None) => shelf.note(session.id, sample, Outcome::Observed),
        }
    }
    shelf.end(session, news);
    Ok(news)
}

/// Stores a sample that shows nothing of how a session goes on.
pub(super) fn keep(conn: &mut Conn, moment: &Moment, source: Source, sample: &Sample) -> StoreResult<()> {
    evidence::keep(conn, moment, source, sample)?;
    let Some(connector) = source.connector else {
        return Ok(()); // a reading is found by its connector
    };
    if sample.reading == Reading::default() {
        return Ok(());
    }
    match known(conn, connector, source.session, sample)? {
        Some(known) if known.is_complete() => Ok(()),
        Some(known) => complete(conn, known, sample, None),
        None => {
            let at = believed(sample.at, moment.now);
            let whose = Whose { connector, session: source.session };
            shelf::add_late(conn, whose, Stored::of(sample, moment.now, (at, None)))
        }
    }
}

/// The readings of a session in eDRV's form, oldest first.
pub(super) fn energy_reports(
    conn: &mut Conn,
    session: &Session,
    connector: ConnectorId,
) -> StoreResult<Vec<SessionReport>> {
    /// Reports one answer contains at most: a week at one a minute.
    const MOST_REPORTS: usize = 10_080;
    let readings = shelf::first_readings_of(conn, session, connector, MOST_REPORTS)?;
    Ok(readings.iter().map(|one| SessionReport::Measured(EnergyReport::of(one.at, &one.reading).into())).collect())
}
