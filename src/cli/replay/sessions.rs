//! Recorded sessions from a CSV file: read strictly, each fault named by line and column.
//!
//! Columns are found by name, in any order; those that are not needed are not looked at.

use std::io::Read;

use kernel::{Millivolts, Watts};

/// Seconds of a period: sessions are recorded on this grid.
pub(super) const PERIOD_SECONDS: i64 = 300;
/// Sessions in one file, and periods in one record (more than sixty years): enough for any site, and no sum overflows.
const MOST_SESSIONS: usize = 1_000_000;
const LAST_PERIOD: f64 = 7_000_000.0;
/// No car takes a gigawatt hour, no connector a gigawatt.
const LARGEST: f64 = 1e6;

/// One charging session as it was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Recorded {
    /// The period in which it may draw first.
    pub arrival: i64,
    /// The period in which it may draw no more.
    pub departure: i64,
    /// What it took, in joules: what it would take here if it could.
    pub energy: i64,
    /// What its driver said, if anything.
    pub claim: Option<Claim>,
    /// The most that car and connector can take.
    pub maximum: Watts,
    /// Between the two wires that it draws from.
    pub voltage: Millivolts,
}

/// What a driver said on arrival, right or wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Claim {
    /// Energy in joules.
    pub energy: i64,
    /// Seconds from the start of the record.
    pub departure: i64,
}

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadFile {
    #[error("line 1: the column {0} is missing")]
    NoColumn(&'static str),
    #[error("line {line}, column {column}: {fault}")]
    Field { line: u64, column: &'static str, fault: String },
    #[error("{0}")]
    Csv(#[from] csv::Error),
    #[error("it has no sessions")]
    Empty,
    #[error("it has more than {MOST_SESSIONS} sessions")]
    TooMany,
}

/// All sessions of a file, in the order of arrival; those that came in the same period in the order of the file.
pub(super) fn read(file: impl Read) -> Result<Vec<Recorded>, BadFile> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let columns = Columns::find(reader.headers()?)?;
    let mut sessions = Vec::new();
    for record in reader.records() {
        let record = record?;
        if sessions.len() == MOST_SESSIONS {
            return Err(BadFile::TooMany);
        }
        sessions.push(columns.session(&record)?);
    }
    if sessions.is_empty() {
        return Err(BadFile::Empty);
    }
    sessions.sort_by_key(|session| session.arrival);
    Ok(sessions)
}

/// A column that is needed, and where it is.
#[derive(Debug, Clone, Copy)]
struct Column {
    name: &'static str,
    index: usize,
}

/// The columns that are needed.
struct Columns {
    arrival: Column,
    departure: Column,
    energy: Column,
    claimed_energy: Column,
    claimed_departure: Column,
    car_kilowatts: Column,
    amps: Column,
    voltage: Column,
}

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, BadFile> {
        let find = |name: &'static str| {
            let index = header.iter().position(|column| column.trim_start_matches('\u{feff}') == name);
            let index = index.ok_or(BadFile::NoColumn(name))?;
            Ok::<_, BadFile>(Column { name, index })
        };
        Ok(Self {
            arrival: find("arrival_p")?,
            departure: find("departure_p")?,
            energy: find("energy_kwh")?,
            claimed_energy: find("user_energy_kwh")?,
            claimed_departure: find("user_departure_s")?,
            car_kilowatts: find("ev_max_kw")?,
            amps: find("evse_max_a")?,
            voltage: find("voltage")?,
        })
    }

    fn session(&self, record: &csv::StringRecord) -> Result<Recorded, BadFile> {
        let row = Row(record);
        let arrival = row.period(self.arrival)?;
        let departure = row.period(self.departure)?;
        if departure < arrival {
            return Err(row.fault(self.departure, "is before its arrival".to_owned()));
        }
        let claim = match (
            row.optional(self.claimed_energy, LARGEST)?,
            row.optional(self.claimed_departure, LAST_PERIOD * 300.0)?,
        ) {
            (Some(energy), Some(departure)) => Some(Claim { energy: joules(energy), departure: whole(departure) }),
            _ => None,
        };
        let amps = row.positive(self.amps, 10_000.0)?;
        let volts = row.positive(self.voltage, 10_000.0)?;
        let car = row.optional(self.car_kilowatts, LARGEST)?;
        let watts = car.map_or(amps * volts, |car| (car * 1_000.0).min(amps * volts));
        Ok(Recorded {
            arrival,
            departure,
            energy: joules(row.number(self.energy, LARGEST)?),
            claim,
            maximum: Watts(whole(watts)),
            voltage: Millivolts(whole(volts * 1_000.0)),
        })
    }
}

/// One line of the file.
struct Row<'a>(&'a csv::StringRecord);

impl Row<'_> {
    fn fault(&self, column: Column, fault: String) -> BadFile {
        BadFile::Field { line: self.0.position().map_or(0, csv::Position::line), column: column.name, fault }
    }

    /// A number from zero to `most`, or nothing.
    fn optional(&self, column: Column, most: f64) -> Result<Option<f64>, BadFile> {
        match self.0.get(column.index).unwrap_or_default() {
            "" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(number) if (0.0..=most).contains(&number) => Ok(Some(number)),
                Ok(_) => Err(self.fault(column, format!("{text} is not between 0 and {most}"))),
                Err(_) => Err(self.fault(column, format!("\"{text}\" is not a number"))),
            },
        }
    }

    fn number(&self, column: Column, most: f64) -> Result<f64, BadFile> {
        self.optional(column, most)?.ok_or_else(|| self.fault(column, "is empty".to_owned()))
    }

    fn positive(&self, column: Column, most: f64) -> Result<f64, BadFile> {
        match self.number(column, most)? {
            0.0 => Err(self.fault(column, "must be above 0".to_owned())),
            number => Ok(number),
        }
    }

    fn period(&self, column: Column) -> Result<i64, BadFile> {
        let number = self.number(column, LAST_PERIOD)?;
        if number.fract() == 0.0 {
            Ok(whole(number))
        } else {
            Err(self.fault(column, format!("{number} is not a whole number")))
        }
    }
}

fn joules(kilowatt_hours: f64) -> i64 {
    whole((kilowatt_hours * 3_600_000.0).round())
}

#[expect(clippy::cast_possible_truncation, reason = "every number was bounded when it was read")]
fn whole(number: f64) -> i64 {
    number as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "session_id,arrival_p,departure_p,energy_kwh,user_energy_kwh,user_departure_s,ev_max_kw,evse_max_a,voltage\n";

    fn fault(lines: &str) -> String {
        read(format!("{HEADER}{lines}").as_bytes()).expect_err("a fault").to_string()
    }

    #[test]
    fn a_session_is_read_with_what_its_driver_said() {
        let text = format!("{HEADER}b,7,9,1.5,,,6.6,32.0,208\na,3,9.0,0.5,2,2700.0,,32,208\n");
        let sessions = read(text.as_bytes()).expect("good");
        let [first, second] = sessions.as_slice() else { panic!("{sessions:?}") };
        assert_eq!((first.arrival, first.departure, first.energy), (3, 9, 1_800_000));
        let claim = first.claim.expect("claimed");
        assert_eq!((claim.energy, claim.departure), (7_200_000, 2_700));
        assert_eq!((first.maximum, second.maximum), (Watts(6_656), Watts(6_600)));
        assert_eq!(second.claim, None);
    }

    #[test]
    fn a_fault_is_named_by_line_and_column() {
        let good = "a,3,9,0.5,,,6.6,32,208\n";
        for (line, said) in [
            ("b,x,9,0.5,,,6.6,32,208", "line 3, column arrival_p: \"x\" is not a number"),
            ("b,3.5,9,0.5,,,6.6,32,208", "line 3, column arrival_p: 3.5 is not a whole number"),
            ("b,3,2,0.5,,,6.6,32,208", "line 3, column departure_p: is before its arrival"),
            ("b,3,9,,,,6.6,32,208", "line 3, column energy_kwh: is empty"),
            ("b,3,9,-1,,,6.6,32,208", "line 3, column energy_kwh: -1 is not between 0 and 1000000"),
            ("b,3,9,NaN,,,6.6,32,208", "line 3, column energy_kwh: NaN is not between 0 and 1000000"),
            ("b,3,9,1,,,6.6,0,208", "line 3, column evse_max_a: must be above 0"),
        ] {
            assert_eq!(fault(&format!("{good}{line}\n")), said);
        }
        assert!(fault("b,3,9\n").contains("line: 2"), "{}", fault("b,3,9\n"));
        assert_eq!(fault(""), "it has no sessions");
        let headless = read("arrival_p,departure_p\n1,2\n".as_bytes()).expect_err("a fault");
        assert_eq!(headless.to_string(), "line 1: the column energy_kwh is missing");
    }
}
