// How all groups are doing, as one answer of the API has it: for Now and for the tree of groups.
import { api, ask, type Schemas } from "../../../api/client";

/** A group with how it is doing, in a line. */
export type GroupLine = Schemas["GroupOverview"];

export const overviewNow = (): Promise<Schemas["OverviewView"]> => ask(api.GET("/v1.1/overview"));

/** Draws more than a meter's error above the most that it may be drawing. */
export const isOver = ({ drawing, worst }: Pick<Schemas["MemberStatusView"], "drawing" | "worst">): boolean =>
  (drawing ?? 0) > worst * 1.05 + 0.2;

/** As a tree, read from above: each with how deep it stands. A group whose parent is not among them stands at the top. */
export function treeOf(groups: GroupLine[]): (GroupLine & { depth: number })[] {
  const known = new Set(groups.map(({ group }) => group));
  const below = (parent: GroupLine, depth: number): (GroupLine & { depth: number })[] => [
    { ...parent, depth },
    ...groups.filter((group) => group.parent === parent.group).flatMap((child) => below(child, depth + 1)),
  ];
  return groups.filter(({ parent }) => !parent || !known.has(parent)).flatMap((top) => below(top, 0));
}

/** What connectors of a group are called: as their stations, with their number where a station has several. */
export function memberNames(members: Schemas["MemberStatusView"][]): Map<string, string> {
  const counts = new Map<string, number>();
  for (const { chargestation } of members) counts.set(chargestation, (counts.get(chargestation) ?? 0) + 1);
  const name = (member: Schemas["MemberStatusView"]) =>
    (counts.get(member.chargestation) ?? 0) > 1 ? `${member.chargestation_name} · ${member.number}` : member.chargestation_name;
  return new Map(members.map((member) => [member.connector, name(member)]));
}
