// Lists that the pages use and the OpenAPI document does not have yet: API-NEEDED.md says what they must be.

export interface Operator {
  _id: string;
  email: string;
  name: string;
  role: "Admin" | "Operator" | "Viewer";
  state: "invited" | "active" | "disabled";
  totp: boolean;
  last_login_at: string | null;
  createdAt: string;
}

export interface AuditEntry {
  _id: string;
  actor: { type: "operator" | "api_key" | "home_user" | "station" | "balancing"; _id: string; name: string };
  method: string;
  path: string;
  createdAt: string;
}

export interface AssumedLists {
  "/v1.1/audit": AuditEntry;
  "/v1.1/operators": Operator;
}
