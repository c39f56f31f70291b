//! Power that is drawn where nobody steers: at connectors that are not set up, and at those of the same stations that are no
//! members and have no session. What they show is reserved in their group.

use super::gather::{Role, Site, SiteConnector};
use super::meter::{Hardware, Meter};
use super::replan::Notes;
use super::state::State;
use super::stray::Stray;
use crate::sites::stations::link::{self, Shown};
use kernel::{ConnectorId, PhaseSet, RawId, StationId, Timestamp, Watts};

/// The id that stands for a connector that is not set up: its station's, marked as no instant has it, with its number.
fn id_of(station: StationId, number: u32) -> ConnectorId {
    let mut bytes = *station.raw().as_bytes();
    let [_, high, middle, low] = number.to_be_bytes();
    let [first, second, third, fourth, ..] = &mut bytes;
    (*first, *second, *third, *fourth) = (u8::MAX, high, middle, low);
    RawId::from_bytes(bytes).into()
}

/// Takes in what was heard of connectors that are not steered, and forgets those that are free, or steered by now.
pub(super) fn follow_strays(state: &mut State, site: &Site, notes: &Notes, now: Timestamp) {
    for ((station, number), heard) in &notes.strays {
        let Some(like) = site.like(*station) else {
            continue; // it is in another tree by now
        };
        let stray = state.strays.entry(id_of(*station, *number)).or_insert_with(|| Stray::new(*station, Some(*number)));
        for one in heard {
            match one {
                link::Stray::Occupied => stray.occupied = true,
                link::Stray::Free => {
                    stray.occupied = false;
                    stray.meter.forget_power();
                    stray.meter.note_idle(now);
                }
                link::Stray::Metered(shown) => stray.hear(shown, &like),
            }
        }
    }
    for site_connector in &site.without_group {
        if let Some(stray) = state.strays.get_mut(&site_connector.connector) {
            stray.meter.follow(None, site_connector.free_since(), now);
        }
        for shown in notes.shown.get(&site_connector.connector).into_iter().flatten() {
            let stray = state
                .strays
                .entry(site_connector.connector)
                .or_insert_with(|| Stray::new(site_connector.station, None));
            stray.meter.follow(None, site_connector.free_since(), now);
            stray.hear(shown, site_connector);
        }
    }
    state.strays.retain(|connector, stray| {
        let is_connector_of_site = match stray.number {
            Some(number) => site.is_set_up(stray.station, number),
            None => site.without_group.iter().all(|site_connector| site_connector.connector != *connector),
        };
        let like = site.like(stray.station);
        // One that seems to draw nothing is heard out: a register needs a while to prove what is drawn.
        let counts = |like: SiteConnector| stray.draws(like.rating) > Watts::ZERO || stray.meter.is_heard(now);
        !is_connector_of_site && like.is_some_and(counts)
    });
}

impl Stray {
    fn new(station: StationId, number: Option<u32>) -> Self {
        Self { station, number, occupied: false, meter: Meter::default() }
    }

    fn hear(&mut self, shown: &Shown, like: &SiteConnector) {
        let hardware = match self.number {
            Some(_) => Hardware::unknown(like.rating),
            None => like.hardware(),
        };
        if self.meter.is_end(shown) {
            self.meter.note_idle(shown.at);
        }
        self.meter.take(shown, hardware);
    }
}

impl Site {
    /// Adds what draws without being steered, so that it is reserved.
    pub(super) fn add_strays(&mut self, state: &State) {
        for (connector, stray) in &state.strays {
            let Some(like) = self.like(stray.station) else {
                continue;
            };
            let draws = stray.draws(like.rating);
            if draws == Watts::ZERO {
                continue;
            }
            let number = stray.number.and_then(|number| i32::try_from(number).ok());
            self.connectors.push(SiteConnector {
                connector: *connector,
                number: number.unwrap_or(like.number),
                role: match stray.number {
                    Some(_) => Role::Stray,
                    None => Role::Bystander,
                },
                rating: draws,
                ..like
            });
        }
    }

    /// What a connector of this station is taken to be that is not set up: like its largest one that is. None where the station
    /// is not in this tree.
    fn like(&self, station: StationId) -> Option<SiteConnector> {
        let group = self.stations.get(&station)?;
        let connectors = self.connectors.iter().chain(&self.without_group);
        let set_up =
            connectors.filter(|site_connector| site_connector.station == station && site_connector.role != Role::Stray);
        let largest = set_up.max_by_key(|site_connector| site_connector.rating);
        Some(match largest {
            Some(site_connector) => SiteConnector {
                phases: site_connector.wired,
                rotation_known: site_connector.wired == PhaseSet::ALL,
                session: None,
                ended: None,
                ..site_connector.clone()
            },
            None => SiteConnector::usual(station, *group, self.voltage),
        })
    }

    fn is_set_up(&self, station: StationId, number: u32) -> bool {
        let connectors = self.connectors.iter().chain(&self.without_group);
        let mut set_up =
            connectors.filter(|site_connector| site_connector.station == station && site_connector.role != Role::Stray);
        set_up.any(|site_connector| u32::try_from(site_connector.number) == Ok(number))
    }
}
