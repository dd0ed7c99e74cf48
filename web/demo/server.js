// What the sample product reads from the server beside the SDK. It only reads.

import { config } from './guide.js';

const MINUTE = 60_000;

/** The answer's body; null: there is no such thing; undefined: no answer. @param {string} path @returns {Promise<any>} */
export async function read(path) {
  const headers = config.product ? { 'x-pilotage-product': config.product } : undefined;
  const response = await fetch(path, { headers }).catch(() => undefined);
  if (response?.status === 404) return null;
  return response?.ok ? response.json().catch(() => undefined) : undefined;
}

/**
 * Whether the server has lost somebody who signed up here: a demo's data may go with it, the browser's do not. What it then
 * knows, if anything, begins after the sign-up.
 * @param {import('./state.js').Person} person
 */
export async function hasForgotten({ id, since }) {
  const known = await read(`/api/v1/users/${id}`);
  if (known === undefined) return false;
  return known ? Date.parse(known.firstSeenAt) > (since ?? Infinity) + MINUTE : Date.now() > (since ?? 0) + MINUTE;
}
