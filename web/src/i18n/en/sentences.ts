// What the server says of things, as it says it: warnings, steps of an acceptance test, why a webhook is off.
export const sentences = {
  "api.meter_stale": "it has reported nothing for {seconds} s: until it does, {power} kW count ({basis})",
  "api.reading_refused": "its last reading was refused: {why}",
  "api.fed_in":
    "it says that {power} kW are fed in, where {produced} kW are known to be produced: only these count; add what produces as an asset, or change the sign",
  "api.asset_clock": "the clock of its meter is {seconds} s {direction}: its readings count from when they came, but set it right",
  "api.station_clock": "the clock of its station is {seconds} s {direction}: limits are sent in its time, but set it right",
  "api.meter_above_capacity": "its meter shows {power} kW, of {most} kW that it may draw: limits are cut by the difference until it fits",
  "api.fallbacks_exceed":
    "without this server its connectors may draw {power} kW of {most} kW: lower fallback_capacity, or let every station confirm its own",
  "api.impossible_reading":
    "its meter reported {power} kW, which a connector of {most} kW cannot draw: see the unit of its readings",
  "api.unknown_connector":
    "connector {number} of its station is not set up and charges: {power} kW are reserved; add the connector, or correct its number",
  "api.price_zero": "{evses} EVSE(s) are in no group: their price is zero while the offer is active",
  "api.not_exported": "{evses} EVSE(s) are closed to roaming: exports leave them out until `roaming` is true",

  "api.test_connected": "It is connected and speaks {protocol}",
  "api.test_booted": "It said that it booted",
  "api.test_no_boot": "It sent no BootNotification within {seconds} s",
  "api.test_status": "It said how the connector is doing",
  "api.test_no_status": "It sent no status of the connector within {seconds} s",
  "api.test_meter": "Its meter shows {power}",
  "api.test_register": "Its meter shows {energy} Wh and no power",
  "api.test_no_reading": "Its meter shows neither power nor energy",
  "api.test_no_meter": "A car charges, and no meter value came within {seconds} s",
  "api.test_meter_idle": "It sends no meter value while no car charges",
  "api.test_nothing_to_lower": "Nothing may be drawn there as it is, so there is nothing to lower",
  "api.test_says_nothing": "It says that nothing may be drawn, as balancing has it while no car charges",
  "api.test_limited_elsewhere": "Not tried: something else limits the station to nothing",
  "api.test_balancing_given": "Balancing was given {power} as the most for this connector",
  "api.test_no_evse": "Balancing knows no such EVSE",
  "api.test_limit_taken": "It took a limit of {power}",
  "api.test_followed": "The meter showed {shown} {seconds} s after the limit of {power}; before it was {was}",
  "api.test_not_followed": "The meter still showed {shown} {seconds} s after the limit of {power}",
  "api.test_no_meter_after": "No meter value came within {seconds} s after the limit",
  "api.test_schedule": "No car draws enough; it says that {shown} apply, with a limit of {power}",
  "api.test_schedule_other": "It says that {shown} apply, with a limit of {power}",
  "api.test_schedule_unsaid": "No car draws enough, and it does not say which limit applies",
  "api.test_schedule_failed": "No car draws enough, and which limit applies was not to be had: {why}",
  "api.test_free": "Balancing decides alone again",
  "api.test_joined": "The station joined a group during the test, so balancing's limit has taken its place",
  "api.test_removed": "It removed the limit",
  "api.test_not_removed":
    "The limit was not removed, and is when the station connects next; a station that keeps to its end forgets it at {until}: {why}",

  "api.webhook_silent": "no event was received for three days: {why}",

  "direction.ahead": "ahead",
  "direction.behind": "behind",
};
