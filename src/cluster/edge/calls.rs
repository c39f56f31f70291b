//! Calls that one side of a socket made and nobody answered yet. Those of a station the next leader is sent again. No I/O.

use std::collections::VecDeque;

/// Calls that are kept: stations make one at a time, and some that queue make a few.
const MOST_CALLS: usize = 32;
/// Bytes that are kept of them.
const MOST_BYTES: usize = 1_048_576;

/// What one side asked and nobody answered.
#[derive(Debug, Default)]
pub(super) struct Calls {
    waiting: VecDeque<(String, String)>,
    bytes: usize,
}

/// The kind of an OCPP-J message and its id, where the text begins like one: `[2,"19223201",`.
fn heading(text: &str) -> Option<(u8, String)> {
    let inner = text.trim_start().strip_prefix('[')?.trim_start();
    let digits = inner.find(|c: char| !c.is_ascii_digit())?;
    let (kind, rest) = inner.split_at(digits);
    let rest = rest.trim_start().strip_prefix(',')?.trim_start();
    let mut id = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    Some((kind.parse().ok()?, id.next()?.ok()?))
}

impl Calls {
    /// Notes what that side says.
    pub(super) fn said(&mut self, text: &str) {
        let Some((2, id)) = heading(text) else { return };
        self.answered(&id);
        self.bytes += text.len();
        self.waiting.push_back((id, text.to_owned()));
        while self.waiting.len() > MOST_CALLS || self.bytes > MOST_BYTES {
            let Some((_, oldest)) = self.waiting.pop_front() else { break };
            self.bytes -= oldest.len();
        }
    }

    /// Notes what it is sent. False for an answer to what it did not ask, or was answered already.
    pub(super) fn heard(&mut self, text: &str) -> bool {
        match heading(text) {
            Some((3 | 4, id)) => self.answered(&id),
            _ => true,
        }
    }

    fn answered(&mut self, id: &str) -> bool {
        let index = self.waiting.iter().position(|(waiting, _)| waiting == id);
        let answered = index.and_then(|index| self.waiting.remove(index));
        self.bytes -= answered.as_ref().map_or(0, |(_, text)| text.len());
        answered.is_some()
    }

    /// All that wait, the oldest first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &str> {
        self.waiting.iter().map(|(_, text)| text.as_str())
    }

    /// Whether another call can be kept without forgetting one.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MOST_CALLS && self.bytes <= MOST_BYTES / 2
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn waiting(calls: &Calls) -> Vec<&str> {
        calls.waiting().collect()
    }

    #[test]
    fn what_was_answered_is_not_said_again() {
        let mut calls = Calls::default();
        calls.said(r#"[2,"a","Heartbeat",{}]"#);
        calls.said(r#" [ 2 , "b\"1" , "StatusNotification", {}]"#);
        calls.said(r#"[3,"ours",{"status":"Accepted"}]"#);
        assert_eq!(waiting(&calls).len(), 2);
        calls.heard(r#"[2,"a","Reset",{}]"#);
        assert_eq!(waiting(&calls).len(), 2, "a call of ours with the same id is no answer");
        assert!(calls.heard(r#"[3,"a",{}]"#));
        assert!(calls.heard(r#"[4,"b\"1","GenericError","",{}]"#));
        assert!(calls.is_empty() && calls.bytes == 0);
        assert!(!calls.heard(r#"[3,"a",{}]"#), "nobody waits for it any more");
        assert!(calls.heard("[3,nonsense"), "what cannot be read is left to who reads it");
    }

    #[test]
    fn a_call_that_is_repeated_is_kept_once_as_it_was_said_last() {
        let mut calls = Calls::default();
        calls.said(r#"[2,"a","Heartbeat",{}]"#);
        calls.said(r#"[2,"a","Heartbeat",{"x":1}]"#);
        assert_eq!(waiting(&calls), [r#"[2,"a","Heartbeat",{"x":1}]"#]);
    }

    #[test]
    fn only_so_much_is_kept() {
        let mut calls = Calls::default();
        for number in 0..100 {
            calls.said(&format!("[2,\"{number}\",\"Heartbeat\",{{}}]"));
        }
        assert_eq!(waiting(&calls).len(), MOST_CALLS);
        assert_eq!(waiting(&calls).first(), Some(&r#"[2,"68","Heartbeat",{}]"#));
        calls.said(&format!("[2,\"large\",\"DataTransfer\",{{\"data\":\"{}\"}}]", "x".repeat(MOST_BYTES)));
        assert!(calls.is_empty() && calls.bytes == 0, "what cannot be kept is left to the station");
    }

    proptest! {
        #[test]
        fn any_text_is_taken(texts in proptest::collection::vec((any::<bool>(), ".{0,40}|\\[[0-9]{0,3},\"[a-c]\",.{0,9}"), 0..40)) {
            let mut calls = Calls::default();
            for (ours, text) in texts {
                if ours { calls.heard(&text); } else { calls.said(&text); }
            }
            prop_assert_eq!(calls.bytes, calls.waiting().map(str::len).sum::<usize>());
        }
    }
}
