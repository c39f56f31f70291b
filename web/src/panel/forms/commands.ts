// The commands that a station can be sent, each with what it asks; `reset` and what answers data wait for the station.
import type { Field } from "../../ui/form";

export interface Command {
  /** The last part of its path. */
  name: string;
  fields: Field[];
  initial?: Record<string, unknown>;
  /** Only stations that speak OCPP 2 know it. */
  isOcpp2?: boolean;
}

const CONNECTOR_ID: Field = { name: "connectorId", kind: "number", min: 0, step: 1, help: "help.connectorId" };
const RETRIES: Field[] = [
  { name: "retries", kind: "number", min: 0, step: 1 },
  { name: "retryInterval", kind: "number", unit: "s", min: 0, step: 1 },
];
const MESSAGES = [
  "BootNotification",
  "StatusNotification",
  "Heartbeat",
  "MeterValues",
  "DiagnosticsStatusNotification",
  "FirmwareStatusNotification",
];
const REQUEST_ID: Field = { name: "requestId", kind: "number", step: 1 };

export const COMMANDS: Command[] = [
  {
    name: "reset",
    fields: [{ name: "type", kind: "select", options: ["Soft", "Hard", "OnIdle", "Immediate"], required: true, help: "help.reset" }],
  },
  {
    name: "change_availability",
    fields: [{ name: "type", kind: "select", options: ["Operative", "Inoperative"], words: "status", required: true }, CONNECTOR_ID],
  },
  { name: "trigger_message", fields: [{ name: "message", kind: "select", options: MESSAGES, required: true }, CONNECTOR_ID] },
  {
    name: "set_default_power_limit",
    fields: [
      { name: "unit", kind: "select", options: ["power", "current"], words: "unit", required: true },
      { name: "limit", kind: "number", min: 0, required: true, help: "help.limit_unit" },
    ],
    initial: { unit: "power" },
  },
  { name: "clear_default_power_limit", fields: [] },
  { name: "clear_cache", fields: [] },
  {
    name: "send_local_list",
    fields: [
      { name: "updateType", kind: "select", options: ["Full", "Differential"], help: "help.local_list" },
      { name: "listVersion", kind: "number", step: 1 },
    ],
  },
  { name: "get_local_list_version", fields: [] },
  {
    name: "get_composite_schedule",
    fields: [
      CONNECTOR_ID,
      { name: "duration", kind: "number", unit: "s", step: 1 },
      { name: "unit", kind: "select", options: ["power", "current"], words: "unit" },
    ],
  },
  { name: "get_charging_profiles", fields: [{ name: "evseId", kind: "number", step: 1 }], isOcpp2: true },
  { name: "set_charging_profile", fields: [CONNECTOR_ID, { name: "csChargingProfiles", kind: "json", required: true }] },
  {
    name: "clear_charging_profile",
    fields: [
      { name: "id", kind: "number", step: 1 },
      CONNECTOR_ID,
      { name: "chargingProfilePurpose" },
      { name: "stackLevel", kind: "number", step: 1 },
    ],
  },
  {
    name: "update_firmware",
    fields: [
      { name: "location", path: "location", required: true, help: "help.firmware_location" },
      { name: "retrieveDate", kind: "datetime" },
      ...RETRIES,
    ],
  },
  {
    name: "get_diagnostics",
    fields: [
      { name: "location", path: "location", required: true, help: "help.upload_location" },
      { name: "startTime", kind: "datetime" },
      { name: "stopTime", kind: "datetime" },
      ...RETRIES,
    ],
  },
  {
    name: "get_log",
    fields: [
      { name: "logType", kind: "select", options: ["DiagnosticsLog", "SecurityLog"], required: true },
      { name: "remoteLocation", required: true, help: "help.upload_location" },
      { name: "oldestTimestamp", kind: "datetime" },
      { name: "latestTimestamp", kind: "datetime" },
      ...RETRIES,
    ],
  },
  {
    name: "signed_update_firmware",
    fields: [
      { name: "location", path: "location", required: true, help: "help.firmware_location" },
      { name: "signingCertificate", kind: "textarea", required: true },
      { name: "signature", required: true },
      { name: "retrieveDateTime", kind: "datetime" },
      { name: "installDateTime", kind: "datetime" },
      ...RETRIES,
    ],
  },
  { name: "data_transfer", fields: [{ name: "vendorId", required: true }, { name: "messageId" }, { name: "data" }] },
  {
    name: "get_report",
    fields: [{ name: "reportBase", kind: "select", options: ["ConfigurationInventory", "FullInventory", "SummaryInventory"] }, REQUEST_ID],
    isOcpp2: true,
  },
  { name: "get_transaction_status", fields: [{ name: "transactionId" }], isOcpp2: true },
  { name: "get_display_messages", fields: [REQUEST_ID], isOcpp2: true },
  { name: "get_monitoring_report", fields: [REQUEST_ID], isOcpp2: true },
  {
    name: "ocpp",
    fields: [
      { name: "action", required: true, help: "help.ocpp" },
      { name: "payload", kind: "json", required: true },
    ],
    initial: { payload: {} },
  },
];
