//! The versions of OCPP: what a station speaks, and how client and server agree on one.

crate::spelled! {
    /// What a station speaks.
    pub enum Protocol {
        /// OCPP 1.6 with the security whitepaper, JSON.
        V16 = "ocpp1.6" | "ocpp1.6j" | "1.6",
        /// OCPP 2.0.1.
        V201 = "ocpp2.0.1" | "2.0.1" | "ocpp2.0" | "2.0",
        /// OCPP 2.1.
        V21 = "ocpp2.1" | "2.1",
    }
}

#[cfg(feature = "columns")]
crate::text_column!(spelled Protocol);

impl Protocol {
    /// Every version, the best first.
    pub const BEST_FIRST: [Self; 3] = [Self::V21, Self::V201, Self::V16];

    /// The name of the WebSocket subprotocol.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::V16 => "ocpp1.6",
            Self::V201 => "ocpp2.0.1",
            Self::V21 => "ocpp2.1",
        }
    }

    /// The name of the specification.
    pub const fn title(self) -> &'static str {
        match self {
            Self::V16 => "OCPP 1.6",
            Self::V201 => "OCPP 2.0.1",
            Self::V21 => "OCPP 2.1",
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

    /// Characters that the number of a card has at most (`idTag`, `idToken`).
    pub const fn longest_card(self) -> usize {
        match self {
            Self::V16 => 20,
            Self::V201 => 36,
            Self::V21 => 255,
        }
    }

    /// Whether a number of a card fits into its messages.
    pub fn takes_card(self, number: &str) -> bool {
        number.chars().count() <= self.longest_card()
    }

    /// The version to speak with a station that offers these subprotocols, separated by commas: the best one, or the
    /// one it is pinned to. With it comes its name as the station wrote it, which is what the station compares the answer
    /// to. A station that offers nothing is taken to speak what it is pinned to, else `silent`, if anything.
    pub fn agreed(offer: Option<&str>, pinned: Option<Self>, silent: Option<Self>) -> Option<(Self, Option<&str>)> {
        let Some(offer) = offer else {
            return pinned.or(silent).map(|version| (version, None));
        };
        let mut allowed = Self::BEST_FIRST.into_iter().filter(|version| pinned.is_none_or(|only| *version == only));
        allowed.find_map(|version| {
            let mut names = offer.split(',').map(str::trim);
            let written = names.find(|one| one.eq_ignore_ascii_case(version.subprotocol()))?;
            Some((version, Some(written)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Protocol::{self, V16, V21, V201};

    #[test]
    fn the_best_version_that_both_know_is_spoken_unless_one_is_pinned() {
        let all = Some("ocpp1.6, ocpp2.0.1 ,OCPP2.1");
        let agreed = |offer, pinned| Protocol::agreed(offer, pinned, Some(V16));
        assert_eq!(agreed(all, None), Some((V21, Some("OCPP2.1"))));
        assert_eq!(agreed(Some("ocpp1.6,ocpp2.0.1"), None), Some((V201, Some("ocpp2.0.1"))));
        assert_eq!(agreed(all, Some(V16)), Some((V16, Some("ocpp1.6"))));
        assert_eq!(agreed(Some("ocpp1.6"), Some(V201)), None);
        assert_eq!(agreed(Some("soap"), None), None);
        assert_eq!(agreed(None, None), Some((V16, None)));
        assert_eq!(agreed(None, Some(V21)), Some((V21, None)));
        assert_eq!(Protocol::agreed(None, None, None), None);
        assert_eq!(Protocol::agreed(None, Some(V16), None), Some((V16, None)));
    }
}
