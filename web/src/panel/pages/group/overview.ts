// All load-management groups with how they are doing: for Now, for the tree of groups, and for what stations are in which group.
import { api, ask, list, type Schemas } from "../../../api/client";

/** Groups whose status is asked for at once: one call each. */
const GROUPS = 50;

type Member = Schemas["MemberStatusView"];

export interface GroupNow {
  group: Schemas["GroupView"];
  status: Schemas["GroupStatusView"];
}

export async function groupsNow(signal?: AbortSignal): Promise<GroupNow[]> {
  const query = { paginate_limit: GROUPS, sort_by: "name", sort_order: "asc" };
  const { result } = await list<Schemas["GroupView"]>("/v1.1/load_management/groups", query, signal);
  const statusOf = (id: string) => ask(api.GET("/v1.1/load_management/groups/{id}/status", { params: { path: { id } } }));
  return Promise.all(result.map(async (group) => ({ group, status: await statusOf(group._id) })));
}

/** Draws more than a meter's error above the most that it may be drawing. */
export const isOver = ({ drawing, worst }: Pick<Member, "drawing" | "worst">): boolean => (drawing ?? 0) > worst * 1.05 + 0.2;

/** Only the tops of trees: the power of those below is in theirs. */
export const rootsOf = (groups: GroupNow[]): GroupNow[] => {
  const known = new Set(groups.map(({ group }) => group._id));
  return groups.filter(({ group }) => !group.parent || !known.has(group.parent));
};

/** As a tree, read from above: each with how deep it stands. */
export function treeOf(groups: GroupNow[]): (GroupNow & { depth: number })[] {
  const below = (parent: GroupNow, depth: number): (GroupNow & { depth: number })[] => [
    { ...parent, depth },
    ...groups.filter(({ group }) => group.parent === parent.group._id).flatMap((child) => below(child, depth + 1)),
  ];
  return rootsOf(groups).flatMap((root) => below(root, 0));
}

export interface Membership {
  group: Schemas["GroupView"];
  /** Unknown where nothing is drawn that could show it. */
  obeying: "obeying" | "not_obeying" | undefined;
}

/** The group of each station, and whether its meters show that it keeps its limits. */
export function membershipsOf(groups: GroupNow[]): Map<string, Membership> {
  const of = (members: Member[]): Membership["obeying"] =>
    members.some(isOver) ? "not_obeying" : members.some(({ session, drawing }) => session && drawing != null) ? "obeying" : undefined;
  return new Map(
    groups.flatMap(({ group, status }) =>
      group.chargestations.map(({ chargestation }) => [
        chargestation,
        { group, obeying: of(status.members.filter((member) => member.chargestation === chargestation)) },
      ]),
    ),
  );
}
