//! What readings show of a session: its ledger, its latest report and what was odd.

use super::energy::{self, EnergyDeviation, EnergyLedger, Mark, Observed, Series};
use super::energy_report::EnergyReport;
use super::model::Session;
use super::readings::{Reading, Sample};
use crate::sites::stations;
use crate::store::{Conn, Json, StoreResult};
use kernel::*;

/// Oddities that are kept of one session.
const MOST_DEVIATIONS: usize = 50;

/// The power that a connector is made for.
fn rating_of(conn: &mut Conn, connector: Option<ConnectorId>) -> StoreResult<Option<Watts>> {
    match connector {
        Some(connector) => stations::rating_of(conn, connector),
        None => Ok(None),
    }
}

/// The ledger of a session. One from before there were ledgers goes on from what was counted.
fn ledger(conn: &mut Conn, session: &Session) -> StoreResult<EnergyLedger> {
    let mut ledger = match &session.energy_ledger {
        Some(ledger) => ledger.0.clone(),
        None => {
            let rating = rating_of(conn, session.connector_id)?;
            let start = session.started_at.unwrap_or(session.created_at);
            let begun = Mark::new(start, start, session.created_at.max(start));
            let mut ledger = EnergyLedger::open(start, begun, rating);
            let latest = session.latest_at.unwrap_or(start);
            ledger.adopt(
                (session.energy, session.energy_period),
                session.meter_start,
                Mark::new(latest, latest, session.updated_at.max(latest)),
            );
            ledger
        }
    };
    if !ledger.knows_rating()
        && let Some(rating) = rating_of(conn, session.connector_id)?
    {
        ledger.rate(rating);
    }
    Ok(ledger)
}

/// The connector of a session is known now, and so is what its plug can give.
pub(super) fn rate(conn: &mut Conn, session: &mut Session) -> StoreResult<()> {
    let ledger = ledger(conn, session)?;
    session.keep(ledger);
    Ok(())
}

/// Whose reading it is, as its message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribution {
    /// It names the session's transaction.
    Named,
    /// It names none.
    Unnamed,
    /// It names another transaction, which is over.
    Foreign,
}

impl Attribution {
    /// As it is packed.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Named => 0,
            Self::Unnamed => 1,
            Self::Foreign => 2,
        }
    }

    pub(super) const fn of_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Named),
            1 => Some(Self::Unnamed),
            2 => Some(Self::Foreign),
            _ => None,
        }
    }
}

/// The series that a sample belongs to: what does not name the transaction may be of another register.
fn series(sample: &Sample, attribution: Attribution) -> Series {
    let aligned = matches!(&*sample.context, "Clock" | "Sample.Clock");
    Series::of(attribution == Attribution::Named, aligned)
}

/// When its transaction began: the station's own time, its receipt, and the time in our clock.
pub(super) struct Beginning {
    pub(super) station_time: Timestamp,
    pub(super) received: Timestamp,
    pub(super) at: Timestamp,
    /// The register, where it was sent.
    pub(super) register: Option<WattHours>,
}

/// The session of a station began: its ledger is opened, or learns of a start that was reported late.
pub(super) fn begin(conn: &mut Conn, session: &mut Session, beginning: &Beginning) -> StoreResult<()> {
    let mark = Mark::new(beginning.at, beginning.station_time, beginning.received);
    let mut ledger = match &session.energy_ledger {
        Some(_) => ledger(conn, session)?,
        None => EnergyLedger::open(beginning.at, mark, rating_of(conn, session.connector_id)?),
    };
    ledger.begin_at(beginning.at, mark, beginning.register);
    if mark.is_off() {
        ledger.note(EnergyDeviation::TimeNotBelieved);
    }
    session.started_at = Some(beginning.at);
    session.meter_start = beginning.register.or(session.meter_start);
    session.keep(ledger);
    Ok(())
}

/// The station reported the end of a session, now or after an end that was assumed. The energy of this stop is what its
/// register proves within the bounds of the ledger, never less than before. The instant is that of the end in our clock.
pub(super) fn stop(
    conn: &mut Conn,
    session: &mut Session,
    mark: Mark,
    register: Option<WattHours>,
) -> StoreResult<Timestamp> {
    let mut ledger = ledger(conn, session)?;
    let at = ledger.end_at(mark, register);
    if mark.is_off() {
        ledger.note(EnergyDeviation::TimeNotBelieved);
    }
    session.meter_stop = register.or(session.meter_stop);
    session.keep(ledger);
    Ok(at)
}

/// A session is taken to be over, though nobody reported its end.
pub(super) fn assume_stop(conn: &mut Conn, session: &mut Session) -> StoreResult<()> {
    let mut ledger = ledger(conn, session)?;
    ledger.assume_end();
    session.keep(ledger);
    Ok(())
}

/// A session that was taken to be over goes on.
pub(super) fn reopen(session: &mut Session) {
    if let Some(ledger) = &mut session.energy_ledger {
        ledger.0.reopen();
    }
}

/// Takes in a sample; the instant where it lies in the session, and whether it is news of how things are now.
pub(super) fn observe(
    conn: &mut Conn,
    session: &mut Session,
    sample: &Sample,
    mark: Mark,
    attribution: Attribution,
) -> StoreResult<(Timestamp, bool)> {
    let mut ledger = ledger(conn, session)?;
    let Reading { energy, power, .. } = sample.reading;
    let instant = ledger.observe(&Observed {
        mark,
        series: series(sample, attribution),
        begins: matches!(&*sample.context, "Begin" | "Transaction.Begin"),
        register: energy,
        interval: sample.reading.interval,
        power,
    });
    if mark.is_off() {
        ledger.note(EnergyDeviation::TimeNotBelieved);
    }
    let at = instant.unwrap_or_else(|| ledger.place(mark));
    session.keep(ledger);
    if instant.is_none() {
        return Ok((at, false));
    }
    if let Some(register) = energy.filter(|_| attribution != Attribution::Foreign) {
        session.meter_start.get_or_insert(register);
    }
    if power.is_some() {
        session.power = power;
    }
    // Each instant is later than the one before, so that none is taken for known.
    let next = |latest: Timestamp| Timestamp::from_micros(latest.micros().saturating_add(1));
    let at = session.latest_at.map_or(at, |latest| at.max(next(latest)));
    session.latest_at = Some(at);
    session.report(at, sample);
    Ok((at, true))
}

impl Session {
    /// Stores the ledger, and what it says.
    fn keep(&mut self, ledger: EnergyLedger) {
        self.energy = ledger.energy();
        self.energy_period = ledger.drawing_seconds();
        self.note_deviations(ledger.flags().iter().map(|deviation| deviation.as_str()));
        self.energy_ledger = Some(Json(ledger));
    }

    /// Notes what was odd about a sample; whether anything is new.
    pub(super) fn note_oddities(&mut self, sample: &Sample) -> bool {
        let known = self.flags.0.len();
        self.note_deviations(sample.flags.iter().map(String::as_str));
        self.flags.0.len() > known
    }

    fn note_deviations<'a>(&mut self, flags: impl Iterator<Item = &'a str>) {
        for deviation in flags {
            let known = &mut self.flags.0;
            if known.len() < MOST_DEVIATIONS && known.iter().all(|one| one != deviation) {
                known.push(deviation.to_owned());
            }
        }
    }

    /// Puts a sample into the latest report: what it does not contain stays, with the time when it was reported.
    fn report(&mut self, at: Timestamp, sample: &Sample) {
        let known = self.latest.take().map(|latest| latest.0);
        self.latest = Some(Json(EnergyReport::of(at, &sample.reading).after(known)));
    }

    /// Another part of the latest sample, which was reported separately.
    pub(super) fn complete_report(&mut self, at: Timestamp, reading: &Reading) {
        if self.latest_at == Some(at) {
            self.power = reading.power.or(self.power);
            let known = self.latest.take().map(|latest| latest.0);
            self.latest = Some(Json(EnergyReport::of(at, reading).after(known)));
        }
    }

    /// When its station was heard of last, by our clock.
    pub fn heard_at(&self) -> Option<Timestamp> {
        self.energy_ledger.as_ref().map(|ledger| ledger.0.heard_at())
    }

    /// The average power between the two latest values of its register, and the receipt of the later one; nothing where
    /// they are too close together or show what no plug there can give.
    pub fn power_by_register(&self) -> Option<(Timestamp, Watts)> {
        let ledger = &self.energy_ledger.as_ref()?.0;
        let [earlier, later] = ledger.register_ends()?;
        let most = energy::most_power(ledger.rating());
        energy::power_between(earlier, later, most).map(|power| (later.0, power))
    }
}
