// Every page of the three apps by a short name, with the things of the seed that they show: for pictures and for tests of all pages.
import { client } from "./seed.mjs";

const STATION_TABS = [
  "sessions",
  "messages",
  "configuration",
  "commands",
  "profiles",
  "capabilities",
  "certificates",
  "history",
  "details",
];
const GROUP_TABS = ["members", "what-if", "sessions", "settings"];

export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const PASSWORD = "a good long password";

/** Accepts the home user's invitation, or logs in where that was done before. */
export async function enterPortal(page, { url, data }) {
  const { pathname, search } = new URL(data.invitation);
  await page.goto(url + pathname + search);
  await page.getByLabel("Password, at least 10 characters").fill(PASSWORD);
  await page.getByLabel("The same again").fill(PASSWORD);
  await page.getByRole("button", { name: "Save the password" }).click();
  const isIn = page.getByRole("navigation", { name: "Main navigation" });
  await isIn.or(page.getByRole("alert")).first().waitFor();
  if (await isIn.isVisible()) return;
  await page.goto(`${url}/portal`);
  await page.getByLabel("E-mail address").fill("home@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await isIn.waitFor();
}

/** The pages of the panel: a name, and the path behind /panel. */
export async function panelPages({ url, key, data }) {
  const api = client(url, key);
  const first = async (path) => (await api("GET", `${path}${path.includes("?") ? "&" : "?"}paginate_limit=1`))[0]?._id;
  const bay = data.bay._id;
  const session = await first("/sessions?sort_by=createdAt&sort_order=desc");
  const offer = await first("/service_offers");
  const user = await first("/users");
  const tabs = (name, path, all) => Object.fromEntries(all.map((tab) => [`${name}-${tab}`, `${path}?tab=${tab}`]));
  return {
    now: "",
    map: "/map",
    locations: "/locations",
    location: `/locations/${data.office._id}`,
    ...tabs("location", `/locations/${data.office._id}`, ["load", "assets", "access", "details"]),
    stations: "/stations",
    "station-form": "/stations?dialog=create",
    station: `/stations/${bay}`,
    ...tabs("station", `/stations/${bay}`, STATION_TABS),
    labels: "/labels",
    connect: "/connect",
    "connect-watch": `/connect/${bay}`,
    groups: "/groups",
    "groups-list": "/groups?tab=list",
    "group-wizard": "/groups/new",
    group: `/groups/${data.depot._id}`,
    ...tabs("group", `/groups/${data.depot._id}`, GROUP_TABS),
    "group-home": `/groups/${data.home._id}?tab=home`,
    assets: "/assets",
    "assets-map": "/assets?tab=map",
    asset: `/assets/${await first("/assets?type=smart_meter")}`,
    sessions: "/sessions",
    session: `/sessions/${session}`,
    reservations: "/reservations",
    users: "/users",
    user: `/users/${user}`,
    ...tabs("user", `/users/${user}`, ["tokens", "details"]),
    tokens: "/tokens",
    "tokens-import": "/tokens?dialog=import",
    rates: "/rates",
    "rates-schedules": "/rates?tab=schedules",
    "home-users": "/home-users",
    networks: "/networks",
    network: `/networks/${data.network._id}`,
    offers: "/offers",
    offer: `/offers/${offer}`,
    ...tabs("offer", `/offers/${offer}`, ["evses", "terms"]),
    profiles: "/profiles",
    templates: "/templates",
    events: "/events",
    "events-actions": "/events?tab=actions",
    webhooks: "/webhooks",
    webhook: `/webhooks/${await first("/webhooks")}`,
    "api-keys": "/api-keys",
    audit: "/audit",
    organizations: "/organizations",
    settings: "/settings",
    "settings-operators": "/settings?tab=operators",
    account: "/account",
    "not-there": "/nothing-here",
    "station-not-there": "/stations/000000000000000000000000",
  };
}

export const PORTAL_PAGES = {
  portal: "/portal",
  "portal-exclusion": "/portal/exclusion-times",
  "portal-plan": "/portal/plan",
  "portal-history": "/portal/history",
};

export const driverPages = ({ data }) => ({
  driver: `/e/${data.evse.code}`,
  "driver-unknown": "/e/NOTHERE",
  chargers: "/map",
  "driver-sessions": "/map/sessions",
});
