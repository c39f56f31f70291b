//! Reports of whole device models, which come in parts after the answer to the question.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::oneshot;

/// Values by the keys of their variables.
pub type Values = Map<String, Value>;

#[derive(Debug)]
struct Awaited {
    so_far: Values,
    whole: oneshot::Sender<Values>,
}

/// The reports that somebody waits for, by their numbers.
#[derive(Debug, Default)]
pub struct Reports(Mutex<BTreeMap<i64, Awaited>>);

impl Reports {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Awaited>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the report with this number.
    pub fn expect(&self, number: i64) -> oneshot::Receiver<Values> {
        let (whole, waiting) = oneshot::channel();
        let awaited = Awaited {
            so_far: Values::new(),
            whole,
        };
        self.lock().retain(|_, old| !old.whole.is_closed());
        self.lock().insert(number, awaited);
        waiting
    }

    /// Takes in a part of a report; the last one completes it.
    pub fn take_in(&self, number: i64, part: &Values, is_last: bool) {
        let mut reports = self.lock();
        if let Some(awaited) = reports.get_mut(&number) {
            awaited.so_far.extend(part.clone());
        }
        if is_last && let Some(awaited) = reports.remove(&number) {
            let _ = awaited.whole.send(awaited.so_far);
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
        let mut waiting = reports.expect(7);
        let part = |key: &str| Values::from_iter([(key.to_owned(), json!(1))]);
        reports.take_in(7, &part("a"), false);
        reports.take_in(8, &part("x"), true);
        assert!(waiting.try_recv().is_err());
        reports.take_in(7, &part("b"), true);
        let keys: Vec<String> = waiting
            .try_recv()
            .expect("whole")
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(keys, ["a", "b"]);
    }
}
