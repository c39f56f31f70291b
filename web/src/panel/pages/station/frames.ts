// Reads recorded OCPP-J frames: which action each belongs to, answers included, and their JSON spread out.

interface Recorded {
  at: string;
  direction: "from_station" | "to_station";
  text: string;
  shortened: boolean;
}

export interface Frame extends Recorded {
  index: number;
  kind: "call" | "answer" | "error" | "other";
  action: string;
  pretty: string;
}

/** The messages with their actions; an answer has that of the call with its id. */
export function callsOf(messages: Recorded[]): Frame[] {
  const actions = new Map<string, string>();
  return messages.map((message, index) => {
    const frame: Frame = { ...message, index, kind: "other", action: "", pretty: message.text };
    let parts: unknown;
    try {
      parts = JSON.parse(message.text);
    } catch {
      return readRoughly(frame, actions);
    }
    if (!Array.isArray(parts)) return frame;
    frame.pretty = JSON.stringify(parts, null, 2);
    const [type, id, third] = parts as [unknown, unknown, unknown];
    if (type === 2) {
      frame.kind = "call";
      frame.action = String(third);
      actions.set(String(id), frame.action);
    } else if (type === 3 || type === 4) {
      frame.kind = type === 3 ? "answer" : "error";
      frame.action = actions.get(String(id)) ?? "";
    }
    return frame;
  });
}

/** A frame whose end is missing is no JSON, but its head can be read. */
function readRoughly(frame: Frame, actions: Map<string, string>): Frame {
  const head = /^\[\s*(\d)\s*,\s*"([^"]*)"\s*(?:,\s*"([^"]*)")?/.exec(frame.text);
  if (!head) return frame;
  const [, type, id = "", third = ""] = head;
  frame.kind = type === "2" ? "call" : type === "3" ? "answer" : "error";
  frame.action = type === "2" ? third : (actions.get(id) ?? "");
  if (type === "2") actions.set(id, third);
  return frame;
}
