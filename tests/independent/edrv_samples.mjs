// eDRV's documented calls, in the two styles its pages use (the `request` package and `fetch`), against a base URL.
// Only the base URL, the key and the ids differ from what an eDRV customer has in production.
//
//   EVENWATT_URL=… EVENWATT_API_KEY=… node tests/independent/edrv_samples.mjs
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const request = createRequire(new URL("../../postman/package.json", import.meta.url))("request");
const base = process.env.EVENWATT_URL;
const API_KEY = process.env.EVENWATT_API_KEY;

function viaRequest(method, path, body) {
  const options = {
    method,
    url: `${base}${path}`,
    headers: {
      Accept: "application/json",
      "Content-Type": "application/json",
      Authorization: `Bearer ${API_KEY}`,
    },
    ...(body ? { body, json: true } : {}),
  };
  return new Promise((resolve, reject) =>
    request(options, (error, response, body) =>
      error ? reject(new Error(error)) : resolve(typeof body === "string" ? JSON.parse(body) : body),
    ),
  );
}

async function viaFetch(path) {
  const options = { method: "GET", headers: { Accept: "application/json", Authorization: `Bearer ${API_KEY}` } };
  return fetch(`${base}${path}`, options).then((response) => response.json());
}

// What an eDRV customer has before groups: a location and a charge station with a connector.
const location = await viaRequest("POST", "/v1.1/locations", {
  operatorName: "Airport", address: { city: "Amsterdam", country: "NL" }, coordinates: [4.76, 52.31],
});
const station = await viaRequest("POST", "/v1.1/chargestations", { location: location.result._id, public: true });
const connector = await viaRequest("POST", `/v1.1/chargestations/${station.result._id}/connectors`, {
  type: "CCS2", format: "CABLE", power_type: "DC", power: 50, name: "Left", meta_data: {},
});

// Create a group.
const group = await viaRequest("POST", "/v1.1/groups", {
  name: "Park3-E1",
  description: "East side",
  notes: "",
  maximum_capacity: 100,
  minimum_connector_capacity: 2.5,
  buffer: 0.1,
  location: location.result._id,
});
const groupId = group.result._id;
assert.match(groupId, /^[0-9a-f]{24}$/);

// Add a charge station.
const added = await viaRequest("POST", `/v1.1/load_management/groups/${groupId}/chargestations`, {
  connectors: [{ id: connector.result._id, maximum_capacity: 15, minimum_capacity: 5 }],
  chargestation: station.result._id,
});
assert.ok(added.result._id);

// Get one and all, with fetch.
const one = await viaFetch(`/v1.1/load_management/groups/${groupId}`);
assert.deepEqual([one.ok, one.result.maximum_capacity, one.result.buffer], [true, 100, 0.1]);
const all = await viaFetch("/v1.1/load_management/groups");
assert.ok(all.result.some((each) => each._id === groupId));

// Remove the charge station.
const removed = await viaRequest("DELETE", `/v1.1/load_management/groups/chargestations/${station.result._id}`);
assert.equal(removed.result._id, added.result._id);

// Rates: prices, a day and a night, and a connector that is priced by one.
const rate = await viaRequest("POST", "/v1.1/rates", {
  name: "Standard", description: "", currency: "USD", active: true, minimum_amount: 0, meta_data: {},
  price_components: [{ type: "ENERGY", price: 0.1, tax: 10 }, { type: "PARKING_TIME", price: 1, tax: 10, grace_period: 0.5 }],
});
const schedule = await viaRequest("POST", "/v1.1/rates/schedule", {
  active: true, name: "Day/Night", description: "", currency: "USD", default_rate: rate.result._id,
  layout: [{
    target: { start_time: "08:00", end_time: "20:00", day_of_week: ["SATURDAY", "SUNDAY"] },
    rate: rate.result._id,
  }],
});
assert.deepEqual(schedule.result.layout[0].rate, rate.result);
const priced = await viaRequest("PATCH", `/v1.1/connectors/${connector.result._id}`, { rate: rate.result._id });
assert.deepEqual(priced.result.rate, rate.result);

console.log("eDRV's samples work unchanged");
