//! What must hold before an offer is published: every problem at once, each with its place.

use std::collections::BTreeSet;
use std::time::Duration;

use super::content::*;
use super::model::{Content, ServiceOffer};
use crate::http::Faults;
use crate::market::networks::EvseGroup;
use kernel::calendar::Weekdays;
use kernel::*;

/// The shortest notice of new prices, in days.
const LEAST_LEAD_TIME: i64 = 15;
/// The longest that a limited offer is valid, in days.
const LONGEST_VALIDITY: i64 = 730;
/// The shortest that a limited offer to everybody is valid, in days.
const SHORTEST_VALIDITY: i64 = 42;
/// Tariffs, and slots of a plan, that an offer may have.
const MOST: usize = 200;

/// This many days.
pub(super) fn days(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0).saturating_mul(86_400))
}

/// Everything that keeps a draft for a network with these groups from being published now.
pub(super) fn problems(offer: &ServiceOffer, groups: &[EvseGroup], now: Timestamp) -> Faults {
    let mut faults = Faults::default();
    let content = &offer.content.0;
    check_prices(&content.tariffs, &content.products, groups, &mut faults);
    check_audience(content, &mut faults);
    check_validity(offer, now, &mut faults);
    check_terms(content, &mut faults);
    faults
}

/// The tariffs and products of an offer or of a price update.
pub(super) fn check_prices(
    tariffs: &[OfferTariff],
    products: &[OfferProduct],
    groups: &[EvseGroup],
    faults: &mut Faults,
) {
    check_tariffs(tariffs, faults);
    if groups.is_empty() {
        faults.add("network", "invalid", "the network has no group yet");
    }
    for (index, product) in products.iter().enumerate() {
        let at = format!("products[{index}]");
        if !groups.iter().any(|group| group.id == product.group) {
            faults.add(format!("{at}.group"), "not_found", "the network has no such group");
        }
        let same = |other: &OfferProduct| other.group == product.group;
        if products.iter().take(index).any(same) {
            faults.add(format!("{at}.group"), "invalid", "the group has a product already");
        }
        check_product(product, tariffs, &at, faults);
    }
    for group in groups {
        if !products.iter().any(|product| product.group == group.id) {
            let message = format!("the group \"{}\" has no product", group.name);
            faults.add("products", "required", message);
        }
    }
}

fn check_tariffs(tariffs: &[OfferTariff], faults: &mut Faults) {
    if tariffs.is_empty() || tariffs.len() > MOST {
        let message = format!("there must be 1 to {MOST} tariffs");
        faults.add("tariffs", "required", message);
    }
    for (index, tariff) in tariffs.iter().enumerate() {
        let at = format!("tariffs[{index}]");
        let same = |other: &OfferTariff| other.name == tariff.name;
        if tariffs.iter().take(index).any(same) {
            faults.add(format!("{at}.name"), "invalid", "another tariff has this name");
        }
        if tariff.components.is_empty() {
            faults.add(format!("{at}.components"), "required", "needs at least one price");
        }
        for (position, component) in tariff.components.iter().enumerate() {
            let at = format!("{at}.components[{position}]");
            let same = |other: &OfferComponent| other.kind == component.kind;
            if tariff.components.iter().take(position).any(same) {
                let message = format!("{} is there already", component.kind);
                faults.add(format!("{at}.type"), "invalid", message);
            }
            check_component(component, &at, faults);
        }
    }
}

fn check_component(component: &OfferComponent, at: &str, faults: &mut Faults) {
    let unit = match component.kind {
        OfferComponentType::ChargingEnergy => ReferenceUnit::KilowattHour,
        OfferComponentType::Session => ReferenceUnit::None,
        OfferComponentType::ChargingTime | OfferComponentType::Parking | OfferComponentType::BlockingFee => {
            ReferenceUnit::Minute
        }
    };
    if component.reference_unit != unit {
        let message = format!("of {} must be {unit}", component.kind);
        faults.add(format!("{at}.reference_unit"), "invalid", message);
    }
    let is_fee = matches!(component.kind, OfferComponentType::Parking | OfferComponentType::BlockingFee);
    if component.fee_start.is_some() && !is_fee {
        faults.add(format!("{at}.fee_start"), "invalid", "belongs to PARKING and BLOCKING_FEE only");
    }
    match component.grace_period {
        Some(_) if !is_fee => {
            faults.add(format!("{at}.grace_period"), "invalid", "belongs to PARKING and BLOCKING_FEE only")
        }
        Some(minutes) if !(0..=1_440).contains(&minutes) => {
            faults.add(format!("{at}.grace_period"), "out_of_range", "must be between 0 and 1440 minutes")
        }
        _ => {}
    }
}

fn check_product(product: &OfferProduct, tariffs: &[OfferTariff], at: &str, faults: &mut Faults) {
    let mut covered = BTreeSet::new();
    for (index, plan) in product.time_plans.iter().enumerate() {
        let at = format!("{at}.time_plans[{index}]");
        let field = format!("{at}.days_of_week");
        if plan.days_of_week.0.is_empty() {
            faults.add(&field, "required", "names no day");
        }
        for day in plan.days_of_week.0.names() {
            if !covered.insert(day) {
                let message = format!("{} is in another plan too", day.to_uppercase());
                faults.add(&field, "invalid", message);
            }
        }
        check_slots(plan, product.currency, tariffs, &at, faults);
    }
    let missing: Vec<String> =
        Weekdays::ALL.names().filter(|day| !covered.contains(day)).map(str::to_uppercase).collect();
    if !missing.is_empty() {
        let message = format!("{} not covered", missing.join(", "));
        faults.add(format!("{at}.time_plans"), "required", message);
    }
}

/// Slots tile the day: each begins a second after the one before ended.
fn check_slots(plan: &TimePlan, currency: Currency, tariffs: &[OfferTariff], at: &str, faults: &mut Faults) {
    let mut order: Vec<(usize, &TimeSlot)> = plan.slots.iter().enumerate().collect();
    order.sort_by_key(|(_, slot)| slot.start_time);
    if order.len() > MOST {
        let message = format!("has at most {MOST} slots");
        faults.add(format!("{at}.slots"), "out_of_range", message);
        return;
    }
    let mut next = 0;
    for (index, slot) in order {
        let at = format!("{at}.slots[{index}]");
        let start = slot.start_time.0;
        if slot.end_time < slot.start_time {
            faults.add(
                format!("{at}.end_time"),
                "invalid",
                "lies before start_time; split a slot that crosses midnight",
            );
        }
        if start > next {
            let message = format!("leaves a gap from {}", SlotTime(next));
            faults.add(format!("{at}.start_time"), "invalid", message);
        } else if start < next {
            faults.add(format!("{at}.start_time"), "invalid", "overlaps with the slot before; ends are inclusive");
        }
        next = next.max(slot.end_time.0 + 1);
        match tariffs.iter().find(|tariff| tariff.name == slot.tariff) {
            None => faults.add(format!("{at}.tariff"), "not_found", "the offer has no such tariff"),
            Some(tariff) if tariff.currency != currency => {
                let message = format!("is in {}, the product in {currency}", tariff.currency);
                faults.add(format!("{at}.tariff"), "invalid", message);
            }
            Some(_) => {}
        }
    }
    if next < DAY {
        let message = format!("leave a gap from {} to 23:59:59", SlotTime(next));
        faults.add(format!("{at}.slots"), "invalid", message);
    }
}

fn check_audience(content: &Content, faults: &mut Faults) {
    match (content.offer_to_all, content.partners.is_empty()) {
        (true, false) => faults.add("partners", "invalid", "must be empty in an offer to all"),
        (false, true) => faults.add("partners", "required", "must name somebody, or offer_to_all be true"),
        _ => {}
    }
    for (index, partner) in content.partners.iter().enumerate() {
        let mut before = content.partners.iter().take(index);
        if before.any(|other| other.is(partner)) {
            faults.add(format!("partners[{index}]"), "invalid", "is named twice");
        }
    }
    match (content.two_step, content.two_step_fields.is_empty()) {
        (true, _) if !content.offer_to_all => {
            faults.add("two_step", "invalid", "belongs to offers to all");
        }
        (true, true) => faults.add("two_step_fields", "required", "must name at least one"),
        (false, false) => faults.add("two_step_fields", "invalid", "belongs to two_step"),
        _ => {}
    }
}

fn check_validity(offer: &ServiceOffer, now: Timestamp, faults: &mut Faults) {
    let content = &offer.content.0;
    match offer.valid_from {
        None => faults.add("valid_from", "required", "is required"),
        Some(from) if from <= now => {
            faults.add("valid_from", "out_of_range", "must lie in the future");
        }
        Some(_) => {}
    }
    let from = offer.valid_from.unwrap_or(now);
    match (content.unlimited, content.valid_to) {
        (true, Some(_)) => faults.add("valid_to", "invalid", "must be absent in an unlimited offer"),
        (false, None) => faults.add("valid_to", "required", "is required, or unlimited be true"),
        (false, Some(to)) if to <= from => {
            faults.add("valid_to", "out_of_range", "must lie after valid_from");
        }
        (false, Some(to)) if to > from + days(LONGEST_VALIDITY) => {
            let message = format!("must be at most {LONGEST_VALIDITY} days after valid_from");
            faults.add("valid_to", "out_of_range", message);
        }
        (false, Some(to)) if content.offer_to_all && to < from + days(SHORTEST_VALIDITY) => {
            let message = format!("must be at least {SHORTEST_VALIDITY} days after valid_from in an offer to all");
            faults.add("valid_to", "out_of_range", message);
        }
        _ => {}
    }
}

fn check_terms(content: &Content, faults: &mut Faults) {
    let mut term = |name: &str, days: Option<i64>, range: std::ops::RangeInclusive<i64>| match days {
        None => faults.add(name, "required", "is required"),
        Some(days) if !range.contains(&days) => {
            let message = format!("must be between {} and {} days", range.start(), range.end());
            faults.add(name, "out_of_range", message);
        }
        Some(_) => {}
    };
    term("minimum_term", content.minimum_term, 1..=90);
    term("cancellation_period", content.cancellation_period, 1..=365);
    if content.unlimited {
        term("lead_time", content.lead_time, LEAST_LEAD_TIME..=365);
        if content.period_of_notice.is_some() {
            faults.add("period_of_notice", "invalid", "must be absent in an unlimited offer");
        }
    } else {
        if content.period_of_notice.is_some() {
            term("period_of_notice", content.period_of_notice, 0..=365);
        }
        if content.lead_time.is_some() {
            faults.add("lead_time", "invalid", "must be absent in a limited offer");
        }
    }
}
