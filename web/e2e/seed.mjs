// Fills a fresh server through its API, so that every page has something to show. Names are of tests, not of people.

/** Calls the API; throws with what it said where it refuses. */
export function client(url, key) {
  return async (method, path, body) => {
    const answer = await fetch(`${url}/v1.1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${said.message}`);
    return said.result;
  };
}

/** A picture of 32 × 16 pixels. */
export const LOGO = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAACAAAAAQCAIAAAD4YuoOAAAAKUlEQVR42mP4sEUDKxLJi8KKSFXPMGrBqAVDwAJqGYRL/agFoxYMAQsAQOKoH3kbz6kAAAAASUVORK5CYII=",
  "base64",
);

/** Sends a picture as the organization's logo. */
async function sendLogo(url, key) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "image/png" };
  const answer = await fetch(`${url}/v1.1/organization/logo`, { method: "PUT", headers, body: LOGO });
  if (!answer.ok) throw new Error(`PUT /organization/logo: ${await answer.text()}`);
}

export async function seed(url, key) {
  const api = client(url, key);
  await api("PATCH", "/organization", {
    support_contact: { phone: "+31 20 1234567", email: "help@example.com", url: "https://www.example.com/help" },
    address: { streetAndNumber: "Havenweg 1", postalCode: "1013 AA", city: "Amsterdam", country: "NL" },
  });
  await sendLogo(url, key);
  const [depot] = await api("GET", "/load_management/groups");
  await api("PATCH", `/locations/${depot.location}`, {
    name: "Depot North",
    address: { streetAndNumber: "Havenweg 1", postalCode: "1013 AA", city: "Amsterdam", country: "NL" },
    coordinates: [4.8952, 52.3952],
    timezone: "Europe/Amsterdam",
  });
  const place = (name, street, city, coordinates) =>
    api("POST", "/locations", {
      operatorName: "Evenwatt Test",
      name,
      address: { streetAndNumber: street, city, country: "NL" },
      coordinates,
      timezone: "Europe/Amsterdam",
    });
  const office = await place("Office Zuidas", "Gustav Mahlerlaan 10", "Amsterdam", [4.8735, 52.3381]);
  const house = await place("House Lindenlaan", "Lindenlaan 5", "Utrecht", [5.1214, 52.0907]);
  await place("Park and ride Muiderpoort", "Oosterspoorplein 1", "Amsterdam", [4.9313, 52.3606]);

  const rate = await api("POST", "/rates", {
    name: "Day",
    currency: "EUR",
    price_components: [
      { type: "ENERGY", price: 0.42, tax: 21 },
      { type: "PARKING_TIME", price: 1.5, tax: 21, grace_period: 4 },
      { type: "FLAT", price: 0.3, tax: 21 },
    ],
  });
  const night = await api("POST", "/rates", {
    name: "Night",
    currency: "EUR",
    price_components: [{ type: "ENERGY", price: 0.29, tax: 21 }],
  });
  await api("POST", "/rates/schedule", {
    name: "Day and night",
    currency: "EUR",
    default_rate: rate._id,
    layout: [{ rate: night._id, target: { start_time: "22:00", end_time: "06:00" } }],
  });

  const stations = await api("GET", "/chargestations?sort_by=name&sort_order=asc");
  const evses = await api("GET", "/evses?paginate_limit=100");
  for (const [index, evse] of evses.entries())
    await api("PATCH", `/evses/${evse._id}`, {
      evse_id: `NL*EWT*E${String(index + 1).padStart(4, "0")}`,
      roaming: index !== 7,
      reservable: true,
    });
  for (const station of stations)
    for (const connector of station.connectors) await api("PATCH", `/connectors/${connector._id}`, { rate: rate._id });

  const officeStation = async (name, power) => {
    const station = await api("POST", "/chargestations", { name, location: office._id, manufacturer: "Alfen", model: "Eve Double" });
    const evse = await api("POST", `/chargestations/${station._id}/evses`, {
      name,
      electric_current_type: "AC_three_phase",
      simultaneous: true,
    });
    for (const type of ["Type2", "Type2"])
      await api("POST", `/chargestations/${station._id}/connectors`, { evse: evse._id, type, power_type: "AC Three Phase", power });
    return station;
  };
  const first = await officeStation("Zuidas garage, level -2, left of the lift", 22);
  await officeStation("Zuidas garage, level -2, right of the lift", 11);

  const group = await api("POST", "/load_management/groups", {
    name: "Zuidas garage",
    location: office._id,
    maximum_capacity: 43,
    minimum_connector_capacity: 4.2,
    buffer: 0.1,
  });
  await api("POST", `/load_management/groups/${group._id}/chargestations`, { chargestation: first._id });

  const meter = await api("POST", "/assets", {
    name: "Grid meter",
    type: "smart_meter",
    location: office._id,
    group: group._id,
    meter_scope: "building",
    fallback_power: 20,
  });
  const roof = await api("POST", "/assets", {
    name: "Solar roof",
    type: "producer",
    location: office._id,
    group: group._id,
    static_power: 0,
  });
  await api("POST", "/assets", {
    name: "Battery room",
    type: "battery",
    location: office._id,
    group: group._id,
    static_power: 15,
    on: true,
  });
  const past = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
  const curve = (of) => Array.from({ length: 90 }, (_, index) => ({ at: past(90 - index), power: Math.round(of(index) * 100) / 100 }));
  await api("POST", `/assets/${meter._id}/readings`, { readings: curve((index) => 12 + 4 * Math.sin(index / 9)) });
  await api("POST", `/assets/${roof._id}/readings`, { readings: curve((index) => Math.max(0, 6 * Math.sin(index / 30))) });

  const driver = await api("POST", "/users", { firstname: "Test", lastname: "Driver", email: "driver@example.com" });
  await api("POST", "/tokens", { physicalId: "04A1B2C3D4E5F6", user: driver._id });
  await api("POST", "/tokens", { physicalId: "04FFFFFFFFFFFF", status: "blocked" });

  const network = await api("POST", "/evse_networks", { name: "Amsterdam" });
  const evseGroup = await api("POST", `/evse_networks/${network._id}/groups`, { name: "AC slow" });
  await api("POST", `/evse_networks/${network._id}/groups`, { name: "AC fast" });
  await api("POST", `/evse_networks/${network._id}/assignments`, { group: evseGroup._id, evses: evses.slice(0, 5).map(({ _id }) => _id) });
  await api("POST", "/service_offers", {
    name: "Standard 2027",
    network: network._id,
    unlimited: true,
    lead_time: 15,
    offer_to_all: true,
    tariffs: [
      { name: "Day", currency: "EUR", components: [{ type: "CHARGING_ENERGY", reference_unit: "KILOWATT_HOUR", price: 0.45 }] },
      { name: "Night", currency: "EUR", components: [{ type: "CHARGING_ENERGY", reference_unit: "KILOWATT_HOUR", price: 0.31 }] },
    ],
    products: [
      {
        group: evseGroup._id,
        currency: "EUR",
        time_plans: [
          {
            days_of_week: ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"],
            slots: [
              { start_time: "00:00:00", end_time: "06:59:59", tariff: "Night" },
              { start_time: "07:00:00", end_time: "21:59:59", tariff: "Day" },
              { start_time: "22:00:00", end_time: "23:59:59", tariff: "Night" },
            ],
          },
        ],
      },
    ],
  });

  await api("POST", "/charging_profiles", {
    name: "Nights 10 kW",
    type: "recurring",
    recurrence: "daily",
    start_schedule: "2026-01-01T20:00:00Z",
    unit: "power",
    periods: [
      { start: 0, limit: 20000 },
      { start: 28800, limit: 10000 },
    ],
    evses: [],
  });
  await api("POST", "/configuration_templates", {
    name: "Meter values every 30 s",
    settings: [{ key: "MeterValueSampleInterval", value: "30" }],
    protocol: "ocpp1.6",
    active: false,
  });
  await api("POST", "/webhooks", { url: "https://hooks.example.com/evenwatt", events: "session.*" });
  await api("POST", "/api_keys", { name: "Billing", scopes: ["read:sessions", "read:rates"] });

  // The home user has the eighth bay: it charges, so that the portal has something to show.
  const home = await api("POST", "/load_management/groups", {
    name: "Lindenlaan 5",
    location: house._id,
    maximum_capacity: 11,
    minimum_connector_capacity: 1.4,
    algorithm: "consumer_tou",
  });
  const bay = stations.find(({ name }) => name === "Bay 8");
  if (bay) {
    await api("DELETE", `/load_management/groups/chargestations/${bay._id}`);
    await api("PATCH", `/chargestations/${bay._id}`, { location: house._id });
    await api("POST", `/load_management/groups/${home._id}/chargestations`, { chargestation: bay._id });
  }
  const user = await api("POST", "/home_users", { email: "home@example.com", firstname: "Home", lastname: "User" });
  await api("PUT", `/load_management/groups/${home._id}/user`, { user: user._id });
  await api("PUT", `/load_management/groups/${home._id}/exclusion_times`, {
    windows: [
      { weekdays: ["monday", "tuesday", "wednesday", "thursday", "friday"], from: "16:30", to: "19:30" },
      { from: "23:00", to: "01:00", enabled: true },
    ],
  });
  return { depot, office, house, home, network, bay: stations[0], invitation: user.invitation_url, evse: evses[0] };
}
