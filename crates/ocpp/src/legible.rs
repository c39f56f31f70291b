//! JSON of sloppy firmware made legible: what is no JSON, or what a store cannot keep, though it is clear what is meant.
//!
//! A station repeats a StopTransaction that cannot be read for ever, and with it everything that waits behind it. So texts
//! end where a C string would (at the first NUL), half a surrogate pair is U+FFFD, a control character is escaped, a number
//! that is out of any range is `null`, and a byte order mark or NULs around a message are not there. What a text means to
//! say is not judged here.

use std::borrow::Cow;

/// The text itself, as good as always, or what it was meant to be.
pub fn legible(text: &str) -> Cow<'_, str> {
    let inner = text.trim_matches(['\u{feff}', '\0']);
    if !is_odd(inner.as_bytes()) {
        return match inner.len() == text.len() {
            true => Cow::Borrowed(text),
            false => Cow::Owned(inner.to_owned()),
        };
    }
    let repaired = Scribe::copy(inner);
    match repaired == text {
        true => Cow::Borrowed(text),
        false => Cow::Owned(repaired),
    }
}

/// Whether it is worth a closer look: an escape by number, a control character, an exponent.
fn is_odd(bytes: &[u8]) -> bool {
    let mut before = 0;
    bytes.iter().any(|byte| {
        let pair = (std::mem::replace(&mut before, *byte), *byte);
        *byte < b' ' || matches!(pair, (b'\\', b'u') | (b'0'..=b'9', b'e' | b'E'))
    })
}

/// Copies JSON, token by token.
struct Scribe<'a> {
    rest: &'a str,
    copy: String,
}

impl<'a> Scribe<'a> {
    fn copy(text: &'a str) -> String {
        let mut scribe = Self { rest: text, copy: String::with_capacity(text.len()) };
        while let Some(next) = scribe.rest.chars().next() {
            match next {
                '"' => scribe.text(),
                '-' | '0'..='9' => scribe.number(),
                other => {
                    let _ = scribe.take(other.len_utf8());
                    scribe.copy.push(other);
                }
            }
        }
        scribe.copy
    }

    /// Moves on by so many bytes, which it answers; fewer at the end.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn number(&mut self) {
        let is_part = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
        let length = self.rest.bytes().take_while(|byte| is_part(byte)).count();
        let digits = self.take(length);
        let is_endless = digits.parse().is_ok_and(f64::is_infinite);
        self.copy.push_str(if is_endless { "null" } else { digits });
    }

    fn text(&mut self) {
        let quote = self.take(1);
        self.copy.push_str(quote);
        let mut is_over = false; // behind a NUL
        while let Some(next) = self.rest.chars().next() {
            let repaired = match next {
                '"' => break,
                '\\' => self.escape(),
                '\0' => self.drop_nul(),
                control if control < ' ' => {
                    let _ = self.take(1);
                    Some(Cow::Owned(format!("\\u{:04x}", u32::from(control))))
                }
                other => Some(Cow::Borrowed(self.take(other.len_utf8()))),
            };
            match repaired {
                None => is_over = true,
                Some(repaired) if !is_over => self.copy.push_str(&repaired),
                Some(_) => {}
            }
        }
        let quote = self.take(1);
        self.copy.push_str(quote);
    }

    fn drop_nul(&mut self) -> Option<Cow<'a, str>> {
        let _ = self.take(1);
        None
    }

    /// An escape as it is written; none for that of NUL.
    fn escape(&mut self) -> Option<Cow<'a, str>> {
        const REPLACED: &str = "\\ufffd";
        let Some(unit) = unit_of(self.rest) else {
            let length = self.rest.chars().take(2).map(char::len_utf8).sum();
            return Some(Cow::Borrowed(self.take(length)));
        };
        let low = self.rest.get(6..).and_then(unit_of);
        match unit {
            0 => {
                let _ = self.take(6);
                None
            }
            0xD800..=0xDBFF if matches!(low, Some(0xDC00..=0xDFFF)) => Some(Cow::Borrowed(self.take(12))),
            0xD800..=0xDFFF => {
                let _ = self.take(6);
                Some(Cow::Borrowed(REPLACED))
            }
            _ => Some(Cow::Borrowed(self.take(6))),
        }
    }
}

/// The UTF-16 unit whose escape stands at the beginning, if one does.
fn unit_of(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(text: &str) -> Value {
        let repaired = legible(text);
        serde_json::from_str(&repaired).unwrap_or_else(|error| panic!("{error}: {repaired}"))
    }

    #[test]
    fn a_text_ends_at_its_first_nul() {
        assert_eq!(read(r#"["123\u0000\u0000", 1]"#), json!(["123", 1]));
        assert_eq!(read(r#"["A\u0000B\u0000C\"\\", 1]"#), json!(["A", 1]));
        assert_eq!(read("[\"A\0B\", 1]"), json!(["A", 1]));
        assert_eq!(read(r#"{"\u0000": 1}"#), json!({"": 1}));
        // Six characters that only look like one.
        assert_eq!(read(r#"["\\u0000", "\n"]"#), json!(["\\u0000", "\n"]));
    }

    #[test]
    fn half_a_pair_is_the_replacement_character() {
        assert_eq!(read(r#"["AB\udc00"]"#), json!(["AB\u{fffd}"]));
        assert_eq!(read(r#"["\ud83d"]"#), json!(["\u{fffd}"]));
        assert_eq!(read(r#"["\ud83d\u0041"]"#), json!(["\u{fffd}A"]));
        assert_eq!(read(r#"["\uD83D\uDE97"]"#), json!(["🚗"]));
    }

    #[test]
    fn a_number_out_of_any_range_is_nothing() {
        assert_eq!(read("[1e400, -1E999, 1e2, 7]"), json!([null, null, 100.0, 7]));
        assert_eq!(read(r#"["1e400"]"#), json!(["1e400"]));
    }

    #[test]
    fn control_characters_are_escaped_within_texts_only() {
        assert_eq!(read("[\n\t\"a\tb\r\"]"), json!(["a\tb\r"]));
    }

    #[test]
    fn what_stands_around_a_message_is_not_there() {
        assert_eq!(read("\u{feff}[1]\0\0"), json!([1]));
    }

    #[test]
    fn what_is_broken_otherwise_stays_as_it_is() {
        for text in ["[1", "\"", "\"\\", "\"\\u12", "{", "nul", "", "-", "\"a\\ud83d"] {
            assert!(serde_json::from_str::<Value>(&legible(text)).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_right_is_not_touched(text in any::<String>(), number in any::<i64>(), other in any::<f64>()) {
            let text = text.replace('\0', "");
            let whole = json!({"a": [text, number, other, null, true], "b": {}}).to_string();
            prop_assert!(matches!(legible(&whole), Cow::Borrowed(_)), "{whole}");
        }

        #[test]
        fn a_text_of_any_units_is_read(units in prop::collection::vec(any::<u16>(), 0..8)) {
            let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let kept: Vec<u16> = units.iter().copied().take_while(|unit| *unit != 0).collect();
            let right = String::from_utf16_lossy(&kept);
            prop_assert_eq!(read(&format!("[\"{escaped}\"]")), json!([right]));
        }
    }
}
