//! What the demo shows: the way in, the group's power against its limit, and every bay with its reason.

use std::fmt::Write as _;

use kernel::Watts;
use simulator::StationView;
use simulator::station::ConnectorView;

use super::depot::{CAPACITY, Depot, Reasons};
use super::watch::Watch;

/// Characters of the group's bar.
const GROUP_BAR: usize = 60;
/// Characters of a bay's bar.
const BAY_BAR: usize = 8;
/// What a bay's bar shows when it is full.
const BAY_FULL: Watts = Watts(7_000);
/// Characters of a reason that fit on a line.
const REASON: usize = 70;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// The last that was seen and learnt.
pub(super) struct Picture {
    address: String,
    panel: String,
    key: String,
    group: String,
    connectors: Vec<String>,
    views: Vec<StationView>,
    shown: Vec<String>,
    reasons: Reasons,
}

impl Picture {
    /// A picture of this depot.
    pub(super) fn new(depot: &Depot, panel: &str) -> Self {
        Self {
            panel: panel.to_owned(),
            address: depot.rest.base.clone(),
            key: depot.rest.key.clone(),
            group: depot.group.clone(),
            connectors: depot.connectors.clone(),
            views: Vec::new(),
            shown: vec![String::new(); depot.connectors.len()],
            reasons: Reasons::default(),
        }
    }

    /// Takes in what the stations do now; gives a line for each change that matters.
    pub(super) fn see(&mut self, views: Vec<StationView>) -> Vec<String> {
        let mut lines = Vec::new();
        for ((bay, view), shown) in (1..).zip(&views).zip(&mut self.shown) {
            let Some(now) = view.connectors.first() else {
                continue;
            };
            let line = change(bay, now);
            if *shown != line {
                line.clone_into(shown);
                lines.push(match now.battery_percent {
                    Some(percent) => format!("{line}, battery {percent} %"),
                    None => line,
                });
            }
        }
        self.views = views;
        lines
    }

    /// Takes in what the server says.
    pub(super) fn learn(&mut self, reasons: Reasons) {
        self.reasons = reasons;
    }

    /// What somebody needs to look around in the running server.
    pub(super) fn heading(&self) -> [String; 5] {
        let Self { address, panel, key, group, .. } = self;
        [
            format!("Evenwatt demo at {address}, Ctrl-C ends it"),
            format!("Panel       {panel}?to=/groups/{group} (logs in, once)"),
            format!("API key     {key}"),
            format!("Swagger UI  {address}/swagger-ui/"),
            format!("curl -H 'Authorization: Bearer {key}' {address}/v1.1/load_management/groups/{group}"),
        ]
    }

    /// One line with the totals.
    pub(super) fn summary(&self, watch: &Watch) -> String {
        let cars = self.bays().filter(|one| one.battery_percent.is_some());
        format!(
            "{} cars; {:.1} kW allowed, {:.1} kW drawn of {:.1} kW{}",
            cars.count(),
            watch.allowed.kilowatts(),
            watch.drawn.kilowatts(),
            CAPACITY.kilowatts(),
            match &self.reasons.stage {
                Some(stage) => format!(" ({stage})"),
                None => String::new(),
            },
        )
    }

    /// The whole page.
    pub(super) fn page(&self, watch: &Watch) -> String {
        let mut page = String::new();
        // Writing to a text does not fail. The command of the heading is longer than most terminals are wide.
        for line in &self.heading()[..4] {
            let _ = writeln!(page, "{DIM}{line}{PLAIN}");
        }
        page.push('\n');
        let colour = if watch.allowed > CAPACITY { RED } else { GREEN };
        let bar = bar(watch.drawn, watch.allowed, CAPACITY, GROUP_BAR);
        let _ = writeln!(page, "{BOLD}Depot{PLAIN} {colour}[{bar}]{PLAIN}");
        let _ = writeln!(page, "      {}\n", self.summary(watch));
        let _ = writeln!(
            page,
            "{DIM}{:<4}{:<14}{:>7}{:>9}{:>9}  {:<10} why{PLAIN}",
            "bay", "status", "battery", "limit", "draw", ""
        );
        for (bay, one) in (1..).zip(self.bays()) {
            let _ = writeln!(page, "{}", self.row(bay, one));
        }
        page
    }

    fn row(&self, bay: usize, one: &ConnectorView) -> String {
        let battery = match one.battery_percent {
            Some(percent) => format!("{percent} %"),
            None => "-".to_owned(),
        };
        let bar = bar(one.draw, one.limit, BAY_FULL, BAY_BAR);
        let id = self.connectors.get(bay - 1);
        let reason = id.and_then(|id| self.reasons.by_connector.get(id));
        let why: String = reason.map_or_else(|| guess(one), String::as_str).chars().take(REASON).collect();
        format!(
            "{bay:<4}{:<14}{battery:>7}{:>6.1} kW{:>6.1} kW  [{bar}] {DIM}{why}{PLAIN}",
            one.status,
            one.limit.kilowatts(),
            one.draw.kilowatts(),
        )
    }

    fn bays(&self) -> impl Iterator<Item = &ConnectorView> {
        self.views.iter().flat_map(|view| &view.connectors)
    }
}

/// A line for a change.
fn change(bay: usize, one: &ConnectorView) -> String {
    let mut line = format!("bay {bay}: {}", one.status);
    if one.in_transaction {
        let _ = write!(line, ", limit {:.1} kW", one.limit.kilowatts());
    }
    line
}

/// What can be said without the server.
fn guess(one: &ConnectorView) -> &'static str {
    match one.status.as_str() {
        "SuspendedEVSE" => "waits for power",
        "SuspendedEV" => "its battery is full",
        _ => "",
    }
}

/// What is drawn as full blocks, what is allowed beyond that as light ones.
fn bar(drawn: Watts, allowed: Watts, full: Watts, width: usize) -> String {
    let scale = i64::try_from(width).unwrap_or_default();
    let cells = |power: Watts| {
        let cells = (power.get() * scale + full.get() / 2) / full.get().max(1);
        usize::try_from(cells).unwrap_or_default().min(width)
    };
    let (solid, light) = (cells(drawn), cells(allowed));
    let light = light.saturating_sub(solid);
    format!("{}{}{}", "█".repeat(solid), "░".repeat(light), " ".repeat(width - solid - light))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_never_leaves_its_width() {
        let show = |drawn, allowed| bar(Watts(drawn), Watts(allowed), Watts(10_000), 10);
        assert_eq!(show(3_000, 5_000), "███░░     ");
        assert_eq!(show(20_000, 5_000), "██████████");
        assert_eq!(show(0, 0), " ".repeat(10));
    }
}
