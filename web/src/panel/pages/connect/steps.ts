// What is heard of a charger while it is connected: each step is waiting or was seen, with when and what.
import type { Schemas } from "../../../api/client";
import { callsOf } from "../station/frames";

export type StepName = "socket" | "boot" | "status" | "meter" | "capabilities";

/** Somebody came with the identity of the station and could not prove to be it. */
export interface Refusal {
  at: string;
  address: string;
}

/** The last refusal since the station was connected, of the newest events. */
export function refusalOf(
  station: Pick<Schemas["StationView"], "_id" | "online" | "lastConnectAt">,
  newest: { createdAt: string; data: object }[],
): Refusal | undefined {
  if (station.online) return undefined;
  const own = newest.find(({ data }) => (data as { chargestation?: string }).chargestation === station._id);
  if (!own || own.createdAt < (station.lastConnectAt ?? "")) return undefined;
  return { at: own.createdAt, address: String((own.data as { address?: string }).address ?? "") };
}

export interface Step {
  name: StepName;
  seenAt?: string | null;
  detail?: string;
}

/** The steps of a station, from what is known of it and what was said since it last connected. */
export function stepsOf(
  station: Schemas["StationView"],
  messages: Schemas["RecordedMessage"][],
  capabilities: Schemas["CapabilitiesView"] | undefined,
): Step[] {
  const since = station.lastConnectAt ?? "";
  const calls = callsOf(messages).filter(({ at, kind, direction }) => at >= since && kind === "call" && direction === "from_station");
  const last = (...actions: string[]) => calls.findLast(({ action }) => actions.includes(action));
  const boot = last("BootNotification");
  const status = last("StatusNotification", "NotifyEvent");
  const meter = calls.findLast(
    ({ action, text }) => action === "MeterValues" || (action === "TransactionEvent" && text.includes('"meterValue"')),
  );
  const { bootInfo } = station;
  /** Only the last messages are kept: a boot that is not among them was before, and what it was followed by holds. */
  const isBefore = !boot && station.online && Boolean(bootInfo.chargePointModel);
  const statuses = station.connectors.map(({ number, status: said }) => `${number}: ${said}`).join(", ");
  return [
    { name: "socket", seenAt: station.online ? station.lastConnectAt : undefined, detail: station.online ? station.protocol : undefined },
    {
      name: "boot",
      seenAt: boot?.at ?? (isBefore ? since : undefined),
      detail: [bootInfo.chargePointVendor, bootInfo.chargePointModel, bootInfo.firmwareVersion].filter(Boolean).join(" "),
    },
    { name: "status", seenAt: status?.at ?? (isBefore ? since : undefined), detail: statuses },
    { name: "meter", seenAt: meter?.at, detail: meter?.action },
    { name: "capabilities", seenAt: capabilities?.probed_at, detail: capabilities?.feature_profiles?.join(", ") },
  ];
}
