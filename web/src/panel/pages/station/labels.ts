// Labels with QR codes: one for each EVSE, or for each of its connectors where several work at once.
import type { Schemas } from "../../../api/client";
import { idOf, placeName, stationName, type Ref } from "../../../ui/refs.svelte";

export interface Label {
  key: string;
  /** What is under the QR code, for drivers who type it. */
  code: string;
  name: string;
  address: string;
  picture: string;
}

/** Sheets as they are sold: columns and rows on A4. */
export const FORMATS = { "3x8": [3, 8], "3x7": [3, 7], "2x7": [2, 7], "2x4": [2, 4] } as const;
export type Format = keyof typeof FORMATS;

/** Labels of one page of the panel at most: each is a request, and the API answers so many at once. */
export const AT_ONCE = 240;

type Place = Schemas["LocationView"];

function addressOf(place: Place | undefined): string {
  if (!place) return "";
  const { streetAndNumber, postalCode, city } = place.address;
  return [streetAndNumber, [postalCode, city].filter(Boolean).join(" ")].filter(Boolean).join(", ") || placeName(place);
}

/** The labels of these stations in the order of their names, each EVSE by its number. */
export function labelsOf(stations: Schemas["StationView"][], evses: Schemas["EvseView"][]): Label[] {
  const ofStation = new Map<string, Schemas["EvseView"][]>();
  for (const evse of evses) {
    const station = idOf(evse.chargestation as Ref) ?? "";
    ofStation.set(station, [...(ofStation.get(station) ?? []), evse]);
  }
  const byName = stations.toSorted((one, other) => stationName(one).localeCompare(stationName(other), undefined, { numeric: true }));
  return byName.flatMap((station) => {
    const place = station.location as Place | string | null;
    const address = addressOf(place && typeof place === "object" ? place : undefined);
    const own = (ofStation.get(station._id) ?? []).toSorted((one, other) => one.number - other.number);
    return own.flatMap((evse): Label[] => {
      const named = own.length > 1 || (evse.name && evse.name !== stationName(station));
      const name = named ? `${stationName(station)} · ${evse.name ?? evse.number}` : stationName(station);
      const picture = `/v1.1/evses/${evse._id}/qr.svg`;
      const connectors = station.connectors.filter((connector) => connector.evse === evse._id);
      if (!evse.simultaneous || connectors.length < 2) return [{ key: evse._id, code: evse.code, name, address, picture }];
      return connectors.map((connector) => {
        const end = connector.code ?? String(connector.number);
        const own = { key: connector._id, code: `${evse.code}*${end}`, name: `${name} · ${connector.name ?? end}` };
        return { ...own, address, picture: `${picture}?connector=${connector._id}` };
      });
    });
  });
}

/** Labels on sheets, the first ones left free where they were used before. */
export function sheetsOf(labels: Label[], [columns, rows]: readonly [number, number], used: number): (Label | undefined)[][] {
  const size = columns * rows;
  const all: (Label | undefined)[] = [...Array.from({ length: Math.min(Math.max(0, used), size - 1) }, () => undefined), ...labels];
  return Array.from({ length: Math.ceil(all.length / size) }, (_, sheet) => all.slice(sheet * size, (sheet + 1) * size));
}
