// What the driver's page asks: the part of the API that needs no key. A session is opened by the cookie that starting it set, or by a
// login of its driver.
import { call, type Schemas } from "../api/client";

export interface Connector {
  _id: string;
  number: number;
  name: string | null;
  status: string;
  type: string;
  power_type: string;
  power: number;
  /** Of the page where charging is started: /e/<code>. */
  code: string;
}

export interface Place {
  name: string | null;
  address: { streetAndNumber?: string | null; postalCode?: string | null; city?: string | null };
  directions?: string | null;
}

export interface Charger {
  code: string;
  name: string | null;
  status: string;
  online: boolean;
  public: boolean;
  visible: boolean;
  organization: { _id: string; name: string; logo: string | null; support_contact: Schemas["SupportContact"] | null };
  location: Place | null;
  connectors: Connector[];
  rate: {
    name: string;
    currency: string;
    /** In the order in which drivers are to be shown them, with tax, per kWh, per minute and per session. */
    price_components: { type: string; unit: string; price: number; tax: number; free_minutes: number }[];
    minimum_amount: number | null;
  } | null;
}

export interface Station {
  _id: string;
  name: string | null;
  online: boolean;
  public: boolean;
  visible: boolean;
  location: Place | null;
  coordinates: [number, number] | null;
  distance_km: number | null;
  connectors: Connector[];
}

export interface Session {
  _id: string;
  status: string;
  chargingStart: string | null;
  chargingStop: string | null;
  energyConsumed: number;
  chargingState: string | null;
  cost: { amount: number; currency: string } | null;
}

const evse = (code: string) => `/v1.1/driver/evses/${encodeURIComponent(code)}`;
const result = async <T>(answer: Promise<{ result: T }>): Promise<T> => (await answer).result;

export const readCharger = (code: string) => result(call<{ result: Charger }>("GET", evse(code)));
/** With the number of a card, or as the driver who is logged in. */
export const startSession = (code: string, connector: string | undefined, idTag?: string) =>
  result(call<{ result: Session }>("POST", `${evse(code)}/sessions`, { connector, id_tag: idTag }));
export const readSession = (code: string, id: string) => result(call<{ result: Session }>("GET", `${evse(code)}/sessions/${id}`));
export const stopSession = (code: string, id: string) => result(call<{ result: Session }>("POST", `${evse(code)}/sessions/${id}/stop`));
export const readStations = (near?: [number, number]) =>
  result(call<{ result: Station[] }>("GET", `/v1.1/driver/chargestations${near ? `?near=${near.join(",")}&radius_km=20000` : ""}`));

/** Whether a charger is only for those whom its operator knows. */
export const isForMembers = (of: { public: boolean; visible: boolean }): boolean => !(of.public && of.visible);

/** A place in one line. */
export const placeText = (place: Place | null): string =>
  [place?.name, place?.address.streetAndNumber, place?.address.city].filter(Boolean).join(", ");
