// The driver's page without a key: public and visible stations, one EVSE by its code, start and stop by a card's number.
import { bodyOf, ok, real, refuse } from "./standin.mjs";

/** Prices as drivers are shown them: with tax, per kWh, per minute, per session. */
const UNITS = { ENERGY: "kWh", TIME: "min", PARKING_TIME: "min", FLAT: "session" };
const shownPrices = (components) =>
  Object.keys(UNITS).flatMap((type) =>
    components
      .filter((component) => component.type === type)
      .map(({ price, tax, grace_period }) => ({
        type,
        unit: UNITS[type],
        price: (price * (1 + (tax ?? 0) / 100)) / (UNITS[type] === "min" ? 60 : 1),
        tax: tax ?? 0,
        free_minutes: (grace_period ?? 0) * 60,
      })),
  );

const shownConnector = (connector) => ({
  _id: connector._id,
  number: connector.number,
  name: connector.name,
  status: connector.detailed_status,
  type: connector.type,
  power_type: connector.power_type,
  power: connector.power,
});

async function stations(query) {
  const near = query.get("near") ? `&near=${query.get("near")}&radius_km=${query.get("radius_km") ?? 50}` : "";
  const { body } = await real(`/v1.1/chargestations?visible=true&public=true&include_location=true&paginate_limit=1000${near}`);
  return body.result.map((station) => ({
    _id: station._id,
    name: station.name,
    online: station.online,
    location: station.location && { name: station.location.name, address: station.location.address },
    coordinates: station.coordinates ?? station.location?.coordinates ?? null,
    distance_km: station.distance_km ?? null,
    connectors: station.connectors.map(shownConnector),
  }));
}

async function evseOf(code) {
  const { body } = await real(`/v1.1/evses?search=${encodeURIComponent(code)}`);
  return body.result?.find((evse) => evse.code === code);
}

async function offered(evse) {
  const station = (await real(`/v1.1/chargestations/${evse.chargestation}?include_location=true`)).body.result;
  const connectors = station.connectors.filter((connector) => connector.evse === evse._id);
  const rate = connectors.map((connector) => connector.rate).find(Boolean) ?? null;
  return {
    code: evse.code,
    name: evse.name ?? station.name,
    status: evse.detailed_status,
    online: station.online,
    location: station.location && {
      name: station.location.name,
      address: station.location.address,
      directions: station.location.directions,
    },
    connectors: connectors.map(shownConnector),
    rate: rate && { name: rate.name, currency: rate.currency, price_components: shownPrices(rate.price_components ?? []) },
  };
}

const shownSession = (session) => ({
  _id: session._id,
  status: session.status,
  chargingStart: session.metrics.chargingStart,
  chargingStop: session.metrics.chargingStop,
  energyConsumed: session.metrics.energyConsumed,
  chargingState: session.metrics.chargingState,
  cost: session.cost && { amount: session.cost.amount, currency: session.cost.currency },
});

export async function driver(request, response, path) {
  const query = new URL(request.url, "http://localhost").searchParams;
  if (path === "/v1.1/driver/chargestations") return ok(response, await stations(query));
  const [, code, , id, stop] = /^\/v1\.1\/driver\/evses\/([^/]+)(\/sessions(?:\/([^/]+?))?(\/stop)?)?$/.exec(path) ?? [];
  const evse = code && (await evseOf(decodeURIComponent(code)));
  if (!evse) return refuse(response, 404, "not_found", "There is no charger with this code.");
  if (!path.includes("/sessions")) return ok(response, await offered(evse));
  if (!id && request.method === "POST") {
    const said = JSON.parse((await bodyOf(request)) || "{}");
    const token = (await real(`/v1.1/tokens?search=${encodeURIComponent(said.id_tag ?? "")}`)).body.result?.find(
      (known) => known.physicalId === said.id_tag,
    );
    if (!token)
      return refuse(response, 422, "invalid_body", "id_tag: is not accepted here", [{ field: "id_tag", message: "is not accepted here" }]);
    const made = await real("/v1.1/sessions", {
      method: "POST",
      body: JSON.stringify({ connector: said.connector, id_tag: token.physicalId }),
    });
    if (made.status >= 400) return refuse(response, made.status, made.body.code, made.body.message, made.body.errors);
    return ok(response, shownSession(made.body.result), 201);
  }
  const answer = await real(`/v1.1/sessions/${id}${stop ? "/stop" : ""}`, stop ? { method: "POST", body: "{}" } : {});
  if (answer.status >= 400) return refuse(response, answer.status, answer.body.code, answer.body.message);
  return ok(response, shownSession(answer.body.result));
}
