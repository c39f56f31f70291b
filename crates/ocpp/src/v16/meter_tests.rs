//! Meter values of real stations, each with the quirk it is known for.

use serde_json::value::RawValue;

use super::*;
use crate::v16::meter_values::Request;
use kernel::{Milliamps, WattHours, Watts};

const NOMINAL: Millivolts = Millivolts(230_000);

/// The readings of samples written as `measurand|phase|unit|value`, where an empty part is absent.
fn read(samples: &[&str]) -> Reading {
    let written: Vec<String> = samples.iter().map(|text| sample_json(text)).collect();
    let mut all = read_json(&format!("[{}]", written.join(",")));
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn sample_json(text: &str) -> String {
    let parts: Vec<&str> = text.split('|').collect();
    let mut fields = vec![format!("\"value\":\"{}\"", parts[3])];
    for (name, part) in ["measurand", "phase", "unit"].iter().zip(&parts) {
        if !part.is_empty() {
            fields.push(format!("\"{name}\":\"{part}\""));
        }
    }
    format!("{{{}}}", fields.join(","))
}

fn read_json(samples: &str) -> Vec<Reading> {
    let json = format!(
        r#"{{"connectorId":1,"meterValue":[{{"timestamp":"2026-05-01T08:30:00Z","sampledValue":{samples}}}]}}"#
    );
    let raw = RawValue::from_string(json).expect("JSON");
    let request = crate::decode::<Request>(&raw, Timestamp::default(), kernel::Protocol::V16).expect("readable");
    readings(&request.value.meter_value, NOMINAL)
}

fn amps(currents: [Option<i64>; 3]) -> [Option<Milliamps>; 3] {
    currents.map(|one| one.map(Milliamps))
}

#[test]
fn a_value_alone_is_the_energy_register_in_watt_hours() {
    let reading = read(&["|||1234"]);
    assert_eq!(reading.energy, Some(WattHours(1_234)));
    assert_eq!(reading.context, ReadingContext::Periodic);
    assert_eq!(reading.at.to_string(), "2026-05-01T08:30:00.000Z");
    assert_eq!(reading.deviations, []);
}

#[test]
fn units_are_read_in_every_spelling() {
    for (sample, energy) in
        [("||kWh|12.345", 12_345), ("||Wh|12345", 12_345), ("||kwh| 12.345 ", 12_345), ("||KWH|12,345", 12_345)]
    {
        assert_eq!(read(&[sample]).energy, Some(WattHours(energy)), "{sample}");
    }
    for (sample, power) in [
        ("Power.Active.Import||W|7359.6", 7_360),
        ("Power.Active.Import||kW|7.36", 7_360),
        ("Power.Active.Import|||7360", 7_360),
    ] {
        assert_eq!(read(&[sample]).power, Some(Watts(power)), "{sample}");
    }
    for sample in [
        "Current.Import|L1|A|16.0",
        "Current.Import|L1|mA|16000",
        "Current.Import|L1-N|Amp|16",
        r#"Current.Import|L1||\"16\""#,
    ] {
        assert_eq!(read(&[sample]).current, amps([Some(16_000), None, None]), "{sample}");
    }
}

#[test]
fn a_unit_of_another_measurand_is_taken_for_the_usual_one() {
    let reading = read(&["Current.Import|L1|V|16"]);
    assert_eq!(reading.current, amps([Some(16_000), None, None]));
    assert!(reading.deviations.contains(&MeterDeviation::OddUnit));
}

#[test]
fn a_number_where_a_text_is_due_is_read() {
    let all = read_json(r#"[{"value":1234.5,"measurand":"energy_active_import_register"}]"#);
    assert_eq!(all[0].energy, Some(WattHours(1_235)));
    assert_eq!(all[0].deviations, [MeterDeviation::FractionalWattHours]);
}

#[test]
fn phases_alone_add_up_to_a_total() {
    let reading = read(&[
        "Power.Active.Import|L1|W|1000",
        "Power.Active.Import|L2|W|2000",
        "Power.Active.Import|L3|W|3000",
        "|L1-N||5",
        "|L2-N||6",
    ]);
    assert_eq!((reading.power, reading.energy), (Some(Watts(6_000)), Some(WattHours(11))));
}

#[test]
fn a_total_counts_more_than_its_phases_and_a_difference_is_noted() {
    let reading =
        read(&["Power.Active.Import||W|7000", "Power.Active.Import|L1|W|2000", "Power.Active.Import|L2|W|2000"]);
    assert_eq!(reading.power, Some(Watts(7_000)));
    assert_eq!(reading.deviations, [MeterDeviation::TotalDiffersFromPhases]);
}

#[test]
fn power_is_derived_from_current_and_voltage() {
    let reading = read(&[
        "Current.Import|L1|A|10",
        "Current.Import|L2|A|10",
        "Current.Import|L3|A|0",
        "Voltage|L1-N|V|231",
        "Voltage|L2-N|V|229",
        "Voltage|L3-N|V|230",
    ]);
    assert_eq!(reading.power, Some(Watts(4_600)));
    assert_eq!(reading.deviations, [MeterDeviation::DerivedPower]);
}

#[test]
fn power_is_derived_with_the_nominal_voltage_when_none_was_measured() {
    let reading = read(&["Current.Import|L1|A|10"]);
    assert_eq!(reading.power, Some(Watts(2_300)));
    assert_eq!(reading.deviations, [MeterDeviation::NominalVoltage, MeterDeviation::DerivedPower]);
}

#[test]
fn voltages_between_phases_become_voltages_to_neutral() {
    let reading = read(&["Voltage|L1-L2|V|400", "Voltage|L2-L3|V|400", "Voltage|L3-L1|V|400"]);
    assert_eq!(reading.voltage, [Some(Millivolts(230_946)); 3]);
}

#[test]
fn a_current_without_phase_is_on_three_phases_when_the_power_says_so() {
    let three = read(&["Current.Import||A|16", "Power.Active.Import||W|11040"]);
    assert_eq!(three.current, amps([Some(16_000); 3]));
    assert_eq!(three.power, Some(Watts(11_040)));

    let one = read(&["Current.Import||A|16", "Power.Active.Import||W|3680"]);
    assert_eq!(one.current, amps([Some(16_000), None, None]));
    assert_eq!(one.deviations, [MeterDeviation::CurrentWithoutPhase]);
}

#[test]
fn a_neutral_alone_is_taken_for_the_first_phase() {
    let reading = read(&["Current.Import|N|A|13", "Voltage||V|230"]);
    assert_eq!(reading.current, amps([Some(13_000), None, None]));
    assert_eq!(reading.voltage, [Some(Millivolts(230_000)), None, None]);
    assert!(reading.deviations.contains(&MeterDeviation::NeutralOnly));
}

#[test]
fn kilowatts_labelled_watts_are_found_out_by_current_and_voltage() {
    let reading = read(&["Power.Active.Import||W|7.36", "Current.Import|L1|A|32", "Voltage|L1|V|230"]);
    assert_eq!(reading.power, Some(Watts(7_360)));
    assert_eq!(reading.deviations, [MeterDeviation::KilowattsAsWatts]);

    let idle = read(&["Power.Active.Import||W|7", "Current.Import|L1|A|0.03"]);
    assert_eq!(idle.power, Some(Watts(7)));
}

#[test]
fn the_outlet_counts_more_than_the_inlet() {
    let all = read_json(
        r#"[{"value":"22000","measurand":"Power.Active.Import","location":"Inlet"},
            {"value":"11000","measurand":"Power.Active.Import"},
            {"value":"55","measurand":"SoC","unit":"Percent","location":"EV"}]"#,
    );
    assert_eq!(all[0].power, Some(Watts(11_000)));
    assert_eq!(all[0].soc_percent, Some(55));
}

#[test]
fn each_context_of_an_instant_is_a_reading_of_its_own() {
    let all = read_json(
        r#"[{"value":"5","context":"Transaction.Begin"},{"value":"9","context":"Transaction.End"},
            {"value":"7","context":"Transaction.End","measurand":"Power.Active.Import"}]"#,
    );
    let seen: Vec<_> = all.iter().map(|one| (one.context, one.energy)).collect();
    assert_eq!(seen, [(ReadingContext::Begin, Some(WattHours(5))), (ReadingContext::End, Some(WattHours(9))),]);
    assert_eq!(all[1].power, Some(Watts(7)));
}

#[test]
fn what_cannot_be_read_is_left_out_and_noted() {
    let reading = read(&["|||NaN", "SoC|||140", "Voltage|L1||230"]);
    assert_eq!((reading.energy, reading.soc_percent), (None, None));
    assert_eq!(reading.deviations, [MeterDeviation::Unreadable]);
    assert_eq!(read_json(r#"[{"value":"21","measurand":"Temperature"}]"#), []);

    let signed = read_json(r#"[{"value":"OCMF|{}","format":"SignedData"}]"#);
    assert_eq!(signed[0].deviations, [MeterDeviation::SignedData]);
}

#[test]
fn what_a_station_offers_is_kept() {
    let reading = read(&["Current.Offered||A|16", "Power.Offered||kW|11"]);
    assert_eq!(reading.offered_current, Some(Milliamps(16_000)));
    assert_eq!(reading.offered_power, Some(Watts(11_000)));
}
