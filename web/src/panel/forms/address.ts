// A postal address in a form: of a location, or of the organization.
import type { Field } from "../../ui/form";

export const ADDRESS: Field[] = [
  { name: "address.streetAndNumber" },
  { name: "address.postalCode" },
  { name: "address.city" },
  { name: "address.state" },
  { name: "address.country", help: "help.country" },
];
