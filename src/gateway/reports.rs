//! Reports that come in parts after the answer to the question: of the device model, of monitors, profiles, messages and the
//! like.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::oneshot;

use kernel::Timestamp;

/// Parts of one report that are kept; what comes beyond is left out.
const MOST_PARTS: usize = 20_000;

#[derive(Debug)]
struct Awaited {
    so_far: Vec<Value>,
    whole: oneshot::Sender<Vec<Value>>,
}

/// The reports that somebody waits for, by their numbers.
#[derive(Debug, Default)]
pub struct Reports(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    awaited: BTreeMap<i64, Awaited>,
    last: i64,
}

impl Reports {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number for a new report, and where it arrives.
    pub fn expect(&self, now: Timestamp) -> (i64, oneshot::Receiver<Vec<Value>>) {
        let (whole, waiting) = oneshot::channel();
        let so_far = Vec::new();
        let mut reports = self.lock();
        reports.last = now.unix_seconds().max(reports.last + 1);
        let number = reports.last;
        reports.awaited.retain(|_, old| !old.whole.is_closed());
        reports.awaited.insert(number, Awaited { so_far, whole });
        (number, waiting)
    }

    /// Takes in parts of a report; the last ones complete it.
    pub fn take_in(&self, number: i64, parts: Vec<Value>, is_last: bool) {
        let mut reports = self.lock();
        if let Some(awaited) = reports.awaited.get_mut(&number) {
            let room = MOST_PARTS.saturating_sub(awaited.so_far.len());
            awaited.so_far.extend(parts.into_iter().take(room));
        }
        if is_last && let Some(awaited) = reports.awaited.remove(&number) {
            let _ = awaited.whole.send(awaited.so_far);
        }
    }
}

/// What a report is put together to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// Values by their names.
    Variables,
    /// One text.
    Text,
    /// A list.
    List,
}

impl ReportKind {
    /// The whole report.
    pub fn join(self, parts: Vec<Value>) -> Value {
        match self {
            Self::List => parts.into(),
            Self::Text => parts.iter().filter_map(Value::as_str).collect::<String>().into(),
            Self::Variables => {
                let named = parts.into_iter().filter_map(|part| match part {
                    Value::Object(values) => Some(values),
                    _ => None,
                });
                named.flatten().collect::<Map<_, _>>().into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_is_whole_with_its_last_part() {
        let reports = Reports::default();
        let now = Timestamp::from_unix_seconds(7);
        let (number, mut waiting) = reports.expect(now);
        let (other, _kept) = reports.expect(now);
        assert_eq!((number, other), (7, 8), "no number is given twice");
        reports.take_in(7, vec![json!({"a": 1})], false);
        reports.take_in(8, vec![json!({"x": 1})], true);
        assert!(waiting.try_recv().is_err());
        reports.take_in(7, vec![json!({"b": 1})], true);
        let parts = waiting.try_recv().expect("whole");
        assert_eq!(ReportKind::Variables.join(parts), json!({"a": 1, "b": 1}));
        let texts = vec![json!("one "), json!("two")];
        assert_eq!(ReportKind::Text.join(texts), "one two");
    }
}
