// What the portal lacks: power and price now, the charging plan, what the car needs, past sessions. Whose groups these are the real portal says.
import { target } from "./api.mjs";
import { bodyOf, ok, real, refuse } from "./standin.mjs";

const PATH = /^\/v1\.1\/portal\/(?:groups\/([0-9a-f]{24})\/(now|charging_plan|need)|(sessions))$/;

async function groupsOf(authorization) {
  const answer = await fetch(new URL("/v1.1/portal/groups", target()), { headers: { authorization: authorization ?? "" } });
  return { status: answer.status, body: await answer.json() };
}

async function openSession(group) {
  const { body } = await real(`/v1.1/sessions?group=${group}&status=started&paginate_limit=1`);
  return body.result?.[0];
}

async function now(group) {
  const [{ body }, { body: plans }, session] = await Promise.all([
    real(`/v1.1/load_management/groups/${group}/status`),
    real(`/v1.1/load_management/groups/${group}/charging_plan`),
    openSession(group),
  ]);
  const plan = plans.result?.[0];
  const at = new Date().toISOString();
  const hour = plan?.hours.find(({ from, to }) => from <= at && at < to);
  const power = body.result.members.reduce((sum, { drawing }) => sum + (drawing ?? 0), 0);
  const reason = body.result.members.find((member) => member.session)?.reason ?? null;
  return {
    power,
    energy: session?.metrics.energyConsumed ?? null,
    reason,
    price: hour?.price ?? null,
    currency: plan?.currency ?? null,
    ready_by: plan?.departure_time ?? null,
  };
}

async function need(request, response, group) {
  const session = await openSession(group);
  if (!session) return refuse(response, 409, "no_session", "No car is plugged in.");
  const answer = await real(`/v1.1/sessions/${session._id}`, { method: "PATCH", body: await bodyOf(request) });
  if (answer.status >= 400) return refuse(response, answer.status, answer.body.code, answer.body.message, answer.body.errors);
  const { departure_time, energy_need } = answer.body.result;
  return ok(response, { departure_time, energy_need });
}

async function sessions(request, response, groups) {
  const query = new URL(request.url, "http://localhost").searchParams;
  const found = await Promise.all(
    groups.map(({ _id }) =>
      real(
        `/v1.1/sessions?group=${_id}&paginate_limit=200&chargingStart[$gte]=${query.get("from") ?? ""}`.replace(
          /&chargingStart\[\$gte\]=$/,
          "",
        ),
      ),
    ),
  );
  const shown = ({ _id, status, metrics, cost }) => ({
    _id,
    status,
    chargingStart: metrics.chargingStart,
    chargingStop: metrics.chargingStop,
    energyConsumed: metrics.energyConsumed,
    cost: cost && { amount: cost.amount, currency: cost.currency },
  });
  return ok(response, found.flatMap(({ body }) => body.result).map(shown));
}

/** Answers what the portal lacks; false for all else. */
export async function home(request, response, path) {
  const [whole, group, what] = PATH.exec(path) ?? [];
  if (!whole) return false;
  const { status, body } = await groupsOf(request.headers.authorization);
  if (status !== 200) return (refuse(response, status, body.code, body.message), true);
  if (group && !body.result.some(({ _id }) => _id === group)) return (refuse(response, 404, "not_found", "There is no such group"), true);
  if (!group) await sessions(request, response, body.result);
  else if (what === "now") ok(response, await now(group));
  else if (what === "need" && request.method === "PUT") await need(request, response, group);
  else {
    const session = await openSession(group);
    const { body: plans } = await real(`/v1.1/load_management/groups/${group}/charging_plan`);
    ok(response, {
      departure_time: session?.departure_time ?? null,
      energy_need: session?.energy_need ?? null,
      is_plugged_in: Boolean(session),
      plans: plans.result,
    });
  }
  return true;
}
