/** Calls to the workspace's page API; a refusal becomes an error whose message is a sentence for the reader. */

import { toast } from "./toast.js";

/** Why a call did not do what was asked, in a sentence. */
export class Refused extends Error {}

let actor = "";

/** The id of the person in whose name calls are made. */
export function actingAs() {
  return actor;
}

/** Makes later calls in the name of person `id`. */
export function actAs(id) {
  actor = id;
}

/** GETs `path`; `params` join the query. Raises Refused. */
export async function get(path, params = {}) {
  const query = new URLSearchParams({ ...(actor ? { as: actor } : {}), ...params });
  return answer(path.startsWith("/static/") ? path : `${path}?${query}`, {});
}

/** POSTs `body` as JSON in the acting person's name. Raises Refused. */
export async function post(path, body = {}) {
  const headers = { "content-type": "application/json" };
  return answer(path, { method: "POST", headers, body: JSON.stringify({ as: actor, ...body }) });
}

/** Runs a call; a refusal is shown as a toast and gives undefined. */
export async function attempt(call) {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    toast(error.message, "error");
    return undefined;
  }
}

async function answer(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refused("The workspace does not answer. It may be restarting; try again in a moment.");
  }
  const data = await response.json().catch(() => null);
  if (data === null) throw new Refused(`The workspace answered ${response.status} without a reason.`);
  if (data.ok === false || !response.ok) {
    throw Object.assign(new Refused(data.error ?? `The workspace answered ${response.status}.`), { data });
  }
  return data;
}
