//! What the forms of partners have in common: hours without seconds, weeks cut into slots, operators read from EVSE ids.

use std::collections::{BTreeMap, BTreeSet};

use super::content::*;
use crate::filters;
use crate::http::query::ListQuery;
use crate::http::{ApiError, ApiResult};
use crate::market::networks::{self, NetworkEvseFilter, NetworkEvseView, Scope};
use crate::store::Conn;
use kernel::calendar::Weekdays;
use kernel::*;
use pricing::Window;

filters! {
    /// Whose offer it is.
    pub(crate) struct ExportFilter {
        /// Your operator id, such as NL*EWT; read from your EVSE ids when absent.
        pub operator: String,
    }
}

/// The days of the week, Sunday first.
const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
/// EVSEs that one export names.
const MOST_EVSES: usize = 20_000;

/// Country and party of an operator: `NL` and `EWT`, or `+49` and `123`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operator {
    pub country: String,
    pub party: String,
}

impl Operator {
    /// Reads the start of an EVSE id, or an operator id.
    fn read(text: &str) -> Option<Self> {
        let text = text.to_ascii_uppercase();
        if text.starts_with(|c: char| c == '+' || c.is_ascii_digit()) {
            let mut parts = text.split('*');
            return Some(Self { country: parts.next()?.to_owned(), party: parts.next()?.to_owned() });
        }
        let letters: Vec<char> = text.chars().filter(|c| *c != '*').collect();
        let (country, rest) = letters.split_at_checked(2)?;
        let (party, _) = rest.split_at_checked(3)?;
        Some(Self { country: country.iter().collect(), party: party.iter().collect() })
    }

    /// The operator that was named, or the one of these EVSEs.
    pub(super) fn of(named: Option<&str>, evses: &[NetworkEvseView]) -> ApiResult<Self> {
        let first = || evses.iter().find_map(|evse| evse.evse_id.as_deref());
        named.or_else(first).and_then(Self::read).ok_or_else(|| {
            ApiError::conflict(
                "The network has no EVSE with `roaming: true` to read your operator id from: name it by operator=NL*EWT",
            )
        })
    }
}

/// Every EVSE that an offer for this network prices, in the order of their ids.
pub(super) fn evses(
    conn: &mut Conn,
    organization: OrganizationId,
    network: EvseNetworkId,
) -> ApiResult<Vec<NetworkEvseView>> {
    let mut all = Vec::new();
    let mut query = ListQuery::first(NetworkEvseFilter::default(), "evse_id");
    loop {
        let found = networks::list_evses(conn, organization, Scope::Priced(network), &query)?;
        let more = found.has_next();
        all.extend(found.rows);
        if !more || all.len() >= MOST_EVSES {
            return Ok(all);
        }
        query.page = query.page.next();
    }
}

/// Those that partners see: the ones that are open to roaming.
pub(super) fn exported(
    conn: &mut Conn,
    organization: OrganizationId,
    network: EvseNetworkId,
) -> ApiResult<Vec<NetworkEvseView>> {
    let mut received = evses(conn, organization, network)?;
    received.retain(|evse| evse.roaming);
    Ok(received)
}

/// The minute in which a second of the day lies, as `HH:MM`.
pub(super) fn minute(second: u32) -> String {
    format!("{:02}:{:02}", second / 3_600, second / 60 % 60)
}

/// The second of the day that a partner means by `HH:MM`.
pub(super) fn second(text: &str) -> Option<u32> {
    let time: calendar::TimeOfDay = text.parse().ok()?;
    Some(u32::from(time.minute()) * 60)
}

/// Prices in their hours, as a partner writes them.
#[derive(Debug, Clone)]
pub(super) struct ReceivedPrice {
    /// What the tariff is called, where it is called anything.
    pub name: Option<String>,
    /// When they hold; none means always.
    pub windows: Vec<Window>,
    pub components: Vec<OfferComponent>,
}

impl ReceivedPrice {
    fn holds(&self, weekday: u32, second: u32) -> bool {
        self.windows.is_empty() || self.windows.iter().any(|window| window.contains(weekday, second))
    }
}

/// Collects tariffs with the same prices under one name.
#[derive(Debug)]
pub(super) struct Tariffs {
    currency: Currency,
    pub all: Vec<OfferTariff>,
}

impl Tariffs {
    pub(super) const fn new(currency: Currency) -> Self {
        Self { currency, all: Vec::new() }
    }

    /// The name of the tariff with these prices; no prices mean energy for nothing.
    fn name(&mut self, wish: Option<&str>, mut components: Vec<OfferComponent>) -> Option<TariffName> {
        if components.is_empty() {
            components.push(OfferComponent {
                kind: OfferComponentType::ChargingEnergy,
                reference_unit: ReferenceUnit::KilowattHour,
                price: crate::http::money::Amount::default(),
                grace_period: None,
                fee_start: None,
            });
        }
        let same = self
            .all
            .iter()
            .find(|tariff| tariff.components == components && wish.is_none_or(|wish| tariff.name.as_str() == wish));
        if let Some(tariff) = same {
            return Some(tariff.name.clone());
        }
        let numbered = format!("Tariff {}", self.all.len() + 1);
        let taken = |name: &TariffName| self.all.iter().any(|tariff| tariff.name == *name);
        let wished = wish.and_then(|wish| wish.parse().ok());
        let name: TariffName = wished.filter(|name| !taken(name)).or_else(|| numbered.parse().ok())?;
        self.all.push(OfferTariff { name: name.clone(), currency: self.currency, components });
        Some(name)
    }

    /// The week as slots: in each, either the first of these that holds, or of each kind of price the first.
    pub(super) fn plans(&mut self, received: &[ReceivedPrice], each_kind: bool) -> Vec<TimePlan> {
        let windows = received.iter().flat_map(|one| &one.windows);
        let mut cuts: BTreeSet<u32> = windows.flat_map(|window| [window.from % DAY, window.to % DAY]).collect();
        cuts.insert(0);
        let mut days: BTreeMap<String, (Vec<&str>, Vec<TimeSlot>)> = BTreeMap::new();
        for (weekday, name) in (0..).zip(DAYS) {
            let slots = self.slots(received, each_kind, weekday, &cuts);
            let key = format!("{slots:?}");
            days.entry(key).or_insert_with(|| (Vec::new(), slots)).0.push(name);
        }
        let plans = days.into_values().map(|(names, slots)| TimePlan {
            days_of_week: crate::http::fields::DaysOfWeek(Weekdays::from_names(names).unwrap_or(Weekdays::ALL)),
            slots,
        });
        plans.collect()
    }

    fn slots(
        &mut self,
        received: &[ReceivedPrice],
        each_kind: bool,
        weekday: u32,
        cuts: &BTreeSet<u32>,
    ) -> Vec<TimeSlot> {
        let mut slots: Vec<TimeSlot> = Vec::new();
        let ends = cuts.iter().skip(1).copied().chain([DAY]);
        for (start, end) in cuts.iter().copied().zip(ends) {
            let mut holding = received.iter().filter(|one| one.holds(weekday, start));
            let tariff = if each_kind {
                let mut components: Vec<OfferComponent> = Vec::new();
                for component in holding.flat_map(|one| &one.components) {
                    if !components.iter().any(|known| known.kind == component.kind) {
                        components.push(component.clone());
                    }
                }
                components.sort_by_key(|component| component.kind);
                self.name(None, components)
            } else {
                let first = holding.next();
                let components = first.map(|one| one.components.clone()).unwrap_or_default();
                self.name(first.and_then(|one| one.name.as_deref()), components)
            };
            let Some(tariff) = tariff else { continue };
            match slots.last_mut() {
                Some(last) if last.tariff == tariff => last.end_time = SlotTime(end - 1),
                _ => slots.push(TimeSlot {
                    start_time: SlotTime(start),
                    end_time: SlotTime(end - 1),
                    tariff,
                    color: None,
                }),
            }
        }
        slots
    }
}

/// A draft made from what a partner sent.
pub(super) fn draft(
    name: &super::model::OfferName,
    network: EvseNetworkId,
    tariffs: Tariffs,
    products: Vec<OfferProduct>,
) -> super::model::NewServiceOffer {
    super::model::NewServiceOffer {
        name: name.clone(),
        network,
        description: None,
        service_type: None,
        tariffs: Some(tariffs.all),
        products: Some(products),
        slot_rule: None,
        offer_to_all: None,
        partners: None,
        valid_from: None,
        valid_to: None,
        unlimited: None,
        minimum_term: None,
        cancellation_period: None,
        period_of_notice: None,
        period_of_notice_message: None,
        lead_time: None,
        two_step: None,
        two_step_fields: None,
        meta_data: None,
    }
}
