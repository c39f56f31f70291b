//! The language of charge stations: frames, payloads, the rhythm of calls and answers.
//!
//! Three layers that know nothing of each other's business (mini-redis): [`frame`] is the envelope, [`session`] the
//! rhythm without I/O, the payload types of a version (`v16`, `v2`) the meaning. What real chargers get wrong is mended in
//! one place, [`mod@decode`], and reported as flags, never scattered as branches.

pub mod access;
pub mod action;
pub mod answer;
pub mod answer16;
pub mod answer2;
pub mod api;
pub mod authority;
pub mod clock;
pub mod command;
pub mod command16;
pub mod command2;
pub mod connections;
pub mod costs;
pub mod decimal;
mod declare;
pub mod decode;
pub mod dispatch;
pub mod door;
pub mod dynamic;
pub mod error;
pub mod floods;
pub mod forms;
pub mod frame;
pub mod gateway;
pub mod guesses;
pub mod in_force;
pub mod ladder;
pub mod legible;
pub mod meter;
pub mod number;
pub mod peer;
pub mod recorder;
pub mod refusals;
pub mod reports;
pub mod session;
pub mod socket;
mod state;
pub mod stops;
pub mod tenths;
pub mod text;
pub mod time;
pub mod v16;
pub mod v2;
pub mod wire;

pub use decode::{Decoded, decode};
pub use error::{CallError, ErrorCode};

use crate::stations::Protocol;

/// The versions of OCPP a station may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// OCPP 1.6 with the security whitepaper.
    V16,
    /// OCPP 2.0.1.
    V201,
    /// OCPP 2.1.
    V21,
}

impl Version {
    /// The name of the WebSocket subprotocol.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::V16 => "ocpp1.6",
            Self::V201 => "ocpp2.0.1",
            Self::V21 => "ocpp2.1",
        }
    }

    /// Reads `1.6`, `2.0.1` or `2.1`, or the name of the subprotocol.
    pub fn from_name(text: &str) -> Result<Self, String> {
        let name = text.trim().to_ascii_lowercase();
        Self::BEST_FIRST
            .into_iter()
            .find(|version| version.subprotocol().trim_start_matches("ocpp") == name.trim_start_matches("ocpp"))
            .ok_or_else(|| "1.6, 2.0.1 or 2.1".to_owned())
    }

    /// What the station is stored to speak.
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::V16 => Protocol::Ocpp16,
            Self::V201 => Protocol::Ocpp201,
            Self::V21 => Protocol::Ocpp21,
        }
    }

    /// The version to speak with a station that offers these subprotocols, separated by commas: the best one, or the
    /// one it is pinned to. With it comes its name as the station wrote it, which is what the station compares the answer
    /// to. A station that offers nothing is taken to speak what it is pinned to, else `silent`, if anything.
    pub fn agreed(offer: Option<&str>, pinned: Option<Protocol>, silent: Option<Self>) -> Option<(Self, Option<&str>)> {
        let allowed = |version: &Self| pinned.is_none_or(|only| version.protocol() == only);
        let mut versions = Self::BEST_FIRST.into_iter().filter(allowed);
        let Some(offer) = offer else {
            let spoken = match pinned {
                Some(_) => versions.next(),
                None => silent,
            };
            return spoken.map(|version| (version, None));
        };
        versions.find_map(|version| {
            let mut names = offer.split(',').map(str::trim);
            let written = names.find(|one| one.eq_ignore_ascii_case(version.subprotocol()))?;
            Some((version, Some(written)))
        })
    }

    /// Every version, the best first.
    pub const BEST_FIRST: [Self; 3] = [Self::V21, Self::V201, Self::V16];
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::V16 => "OCPP 1.6",
            Self::V201 => "OCPP 2.0.1",
            Self::V21 => "OCPP 2.1",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_version_that_both_know_is_spoken_unless_one_is_pinned() {
        let all = Some("ocpp1.6, ocpp2.0.1 ,OCPP2.1");
        let agreed = |offer, pinned| Version::agreed(offer, pinned, Some(Version::V16));
        assert_eq!(agreed(all, None), Some((Version::V21, Some("OCPP2.1"))));
        assert_eq!(agreed(Some("ocpp1.6,ocpp2.0.1"), None), Some((Version::V201, Some("ocpp2.0.1"))));
        assert_eq!(agreed(all, Some(Protocol::Ocpp16)), Some((Version::V16, Some("ocpp1.6"))));
        assert_eq!(agreed(Some("ocpp1.6"), Some(Protocol::Ocpp201)), None);
        assert_eq!(agreed(Some("soap"), None), None);
        assert_eq!(agreed(None, None), Some((Version::V16, None)));
        assert_eq!(agreed(None, Some(Protocol::Ocpp21)), Some((Version::V21, None)));
        assert_eq!(Version::agreed(None, None, None), None);
        assert_eq!(Version::agreed(None, Some(Protocol::Ocpp16), None), Some((Version::V16, None)));
    }
}
