// Every page of the panel: its path, its place in the navigation, and the file that is loaded when it is opened.
import type { Component } from "svelte";

import type { Key } from "../i18n/t.svelte";
import { match } from "../lib/route.svelte";

type Load = () => Promise<{ default: Component<{ id: string }> }>;
const page = (load: () => Promise<{ default: unknown }>) => load as Load;

const PAGES: [pattern: string, load: Load][] = [
  ["/panel", page(() => import("./pages/Now.svelte"))],
  ["/panel/map", page(() => import("./pages/MapPage.svelte"))],
  ["/panel/locations", page(() => import("./pages/Locations.svelte"))],
  ["/panel/locations/:id", page(() => import("./pages/location/Location.svelte"))],
  ["/panel/stations", page(() => import("./pages/Stations.svelte"))],
  ["/panel/stations/:id", page(() => import("./pages/station/Station.svelte"))],
  ["/panel/labels", page(() => import("./pages/Labels.svelte"))],
  ["/panel/connect", page(() => import("./pages/connect/Connect.svelte"))],
  ["/panel/connect/:id", page(() => import("./pages/connect/Watch.svelte"))],
  ["/panel/groups", page(() => import("./pages/Groups.svelte"))],
  ["/panel/groups/:id", page(() => import("./pages/group/Group.svelte"))],
  ["/panel/assets", page(() => import("./pages/Assets.svelte"))],
  ["/panel/assets/:id", page(() => import("./pages/Asset.svelte"))],
  ["/panel/sessions", page(() => import("./pages/Sessions.svelte"))],
  ["/panel/sessions/:id", page(() => import("./pages/session/Session.svelte"))],
  ["/panel/reservations", page(() => import("./pages/Reservations.svelte"))],
  ["/panel/users", page(() => import("./pages/Users.svelte"))],
  ["/panel/users/:id", page(() => import("./pages/User.svelte"))],
  ["/panel/tokens", page(() => import("./pages/Tokens.svelte"))],
  ["/panel/rates", page(() => import("./pages/Rates.svelte"))],
  ["/panel/networks", page(() => import("./pages/Networks.svelte"))],
  ["/panel/networks/:id", page(() => import("./pages/network/Network.svelte"))],
  ["/panel/offers", page(() => import("./pages/Offers.svelte"))],
  ["/panel/offers/:id", page(() => import("./pages/offer/Offer.svelte"))],
  ["/panel/home-users", page(() => import("./pages/HomeUsers.svelte"))],
  ["/panel/profiles", page(() => import("./pages/Profiles.svelte"))],
  ["/panel/templates", page(() => import("./pages/Templates.svelte"))],
  ["/panel/events", page(() => import("./pages/Events.svelte"))],
  ["/panel/webhooks", page(() => import("./pages/Webhooks.svelte"))],
  ["/panel/webhooks/:id", page(() => import("./pages/Webhook.svelte"))],
  ["/panel/api-keys", page(() => import("./pages/ApiKeys.svelte"))],
  ["/panel/audit", page(() => import("./pages/Audit.svelte"))],
  ["/panel/organizations", page(() => import("./pages/Organizations.svelte"))],
  ["/panel/settings", page(() => import("./pages/Settings.svelte"))],
  ["/panel/account", page(() => import("./pages/Account.svelte"))],
];

/** The page of a path, and the id in it. */
export function pageOf(path: string): { load: Load; id: string } | undefined {
  for (const [pattern, load] of PAGES) {
    const parts = match(pattern, path);
    if (parts) return { load, id: parts.id ?? "" };
  }
  return undefined;
}

export interface NavigationItem {
  path: string;
  text: Key;
  /** What it takes to see anything there, where not every role has it. */
  scope?: string;
  /** Only for those who administer the installation. */
  installation?: true;
}

/** What the navigation offers. */
export const NAVIGATION: { title: Key; items: NavigationItem[] }[] = [
  {
    title: "nav.overview",
    items: [
      { path: "/panel", text: "nav.now" },
      { path: "/panel/map", text: "nav.map" },
    ],
  },
  {
    title: "nav.sites",
    items: [
      { path: "/panel/locations", text: "nav.locations" },
      { path: "/panel/stations", text: "nav.stations" },
      { path: "/panel/groups", text: "nav.groups" },
      { path: "/panel/assets", text: "nav.assets" },
    ],
  },
  {
    title: "nav.charging",
    items: [
      { path: "/panel/sessions", text: "nav.sessions" },
      { path: "/panel/reservations", text: "nav.reservations" },
      { path: "/panel/users", text: "nav.users" },
      { path: "/panel/tokens", text: "nav.tokens", scope: "read:tokens" },
      { path: "/panel/rates", text: "nav.rates" },
      { path: "/panel/home-users", text: "nav.home_users" },
    ],
  },
  {
    title: "nav.roaming",
    items: [
      { path: "/panel/networks", text: "nav.networks" },
      { path: "/panel/offers", text: "nav.offers" },
    ],
  },
  {
    title: "nav.control",
    items: [
      { path: "/panel/profiles", text: "nav.profiles" },
      { path: "/panel/templates", text: "nav.templates" },
    ],
  },
  {
    title: "nav.admin",
    items: [
      { path: "/panel/events", text: "nav.events" },
      { path: "/panel/webhooks", text: "nav.webhooks" },
      { path: "/panel/api-keys", text: "nav.api_keys", scope: "read:api_keys" },
      { path: "/panel/audit", text: "nav.audit" },
      { path: "/panel/settings", text: "nav.settings" },
      { path: "/panel/organizations", text: "nav.organizations", installation: true },
    ],
  },
];
