//! The referee: adds up what the stations may draw at every look, and remembers the highest.

use kernel::Watts;
use simulator::StationView;

use super::depot::CAPACITY;

/// What was seen so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Watch {
    /// What running transactions may draw now: the limits their stations acknowledged.
    pub allowed: Watts,
    /// What is drawn now.
    pub drawn: Watts,
    highest_allowed: Watts,
    highest_drawn: Watts,
}

impl Watch {
    /// Looks at all stations at one instant.
    pub(super) fn see(&mut self, views: &[StationView]) {
        let connectors = || views.iter().flat_map(|view| &view.connectors);
        let charging = connectors().filter(|one| one.in_transaction);
        self.allowed = charging.map(|one| one.limit).sum();
        self.drawn = connectors().map(|one| one.draw).sum();
        self.highest_allowed = self.highest_allowed.max(self.allowed);
        self.highest_drawn = self.highest_drawn.max(self.drawn);
    }

    /// Whether more than the limit was ever allowed.
    pub(super) fn was_exceeded(&self) -> bool {
        self.highest_allowed > CAPACITY
    }

    /// The last line of the demo.
    pub(super) fn verdict(&self) -> String {
        format!(
            "highest total of acknowledged limits {:.1} kW, highest draw {:.1} kW, limit {:.1} kW: {}",
            self.highest_allowed.kilowatts(),
            self.highest_drawn.kilowatts(),
            CAPACITY.kilowatts(),
            if self.was_exceeded() { "EXCEEDED" } else { "never exceeded" },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simulator::station::ConnectorView;

    fn station(limit: i64, in_transaction: bool) -> StationView {
        StationView {
            connectors: vec![ConnectorView {
                number: 1,
                status: "Charging".to_owned(),
                battery_percent: Some(50),
                in_transaction,
                limit: Watts(limit),
                draw: Watts::ZERO,
            }],
            ..StationView::default()
        }
    }

    #[test]
    fn only_running_transactions_count_and_the_highest_total_is_kept() {
        let mut watch = Watch::default();
        watch.see(&[station(20_000, true), station(10_000, true), station(7_000, false)]);
        assert!(!watch.was_exceeded());
        watch.see(&[station(20_000, true), station(10_001, true)]);
        watch.see(&[station(0, true)]);
        assert!(watch.was_exceeded());
        assert_eq!(watch.allowed, Watts::ZERO);
    }
}
