//! What is drawn by chance, so that nobody guesses it.

use rand::RngExt;

/// Letters of what is drawn: none that is read as another.
const LETTERS: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
/// Letters of the code of an EVSE: drivers type them where a camera fails.
const EVSE_CODE_LENGTH: usize = 8;

fn draw(length: usize) -> String {
    let mut rng = rand::rng();
    let letter = |_| {
        let index = rng.random_range(0..LETTERS.len());
        LETTERS.get(index).map_or('x', |byte| char::from(*byte))
    };
    (0..length).map(letter).collect()
}

/// The code of an EVSE: everybody reads it, so it says nothing of how its station connects.
pub(in crate::stations) fn evse_code() -> String {
    draw(EVSE_CODE_LENGTH).to_uppercase()
}
