// Says once in the console why a key works nowhere on a page, where that can be told: a browser hides from scripts that a
// server refused their origin. Loaded when a call with a key has failed.

let said = false;

/** @type {import('./types.js').Explain} */
export const explain = async (endpoint) => {
  if (said || new URL(endpoint).origin === location.origin) return;
  said = true;
  try {
    await fetch(`${endpoint}/healthz`, { mode: 'no-cors' });
  } catch {
    said = false; // the server can't be reached at all: another matter
    return;
  }
  console.error(`Pilotage runs at ${endpoint}, but a call from this page failed. If every call does, its key is not for pages of ${location.origin}: `
    + 'list that origin under the key’s `origins` (in keys.toml in the data folder, or in the settings) and restart the server.');
};
