//! What is drawn by chance: secrets that nobody may guess, and spans that shall not be the same for all.
//!
//! The generator is seeded by the operating system, again and again, and is fit for keys and passwords. Who wants the same
//! draws again, such as a simulation, seeds a generator of its own.

#![expect(clippy::disallowed_methods, reason = "the one place that draws by chance")]

use std::ops::Range;

use rand::seq::IndexedRandom;

/// Bytes for a key, a salt or an identifier.
pub fn bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    rand::random()
}

/// A text of so many of these characters, each as likely as the others. Without characters there is no text.
pub fn text(characters: &[u8], length: usize) -> String {
    let mut source = rand::rng();
    (0..length).filter_map(|_| characters.choose(&mut source)).map(|byte| char::from(*byte)).collect()
}

/// A factor of this range, to spread what would come all at once. The range is not empty.
pub fn factor(range: Range<f64>) -> f64 {
    rand::random_range(range)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nothing_is_drawn_twice_and_all_is_of_what_was_asked_for() {
        let drawn: BTreeSet<[u8; 16]> = (0..1_000).map(|_| bytes()).collect();
        assert_eq!(drawn.len(), 1_000);
        let texts: BTreeSet<String> = (0..1_000).map(|_| text(b"abcdefgh", 40)).collect();
        assert_eq!(texts.len(), 1_000);
        assert!(texts.iter().all(|text| text.len() == 40 && text.bytes().all(|byte| (b'a'..=b'h').contains(&byte))));
        assert_eq!(text(b"", 3), "");
        assert!((0..1_000).map(|_| factor(0.8..1.2)).all(|factor| (0.8..1.2).contains(&factor)));
    }

    #[test]
    fn every_character_is_drawn() {
        let drawn: BTreeSet<char> = text(b"0123456789", 1_000).chars().collect();
        assert_eq!(drawn.into_iter().collect::<String>(), "0123456789");
    }
}
