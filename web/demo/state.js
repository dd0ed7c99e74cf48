// What the sample product remembers: the people who signed up in this browser and what each of them made.

/** @typedef {{ date: string, channel: string, revenue: number }} Row */
/** @typedef {{ name: string, rows: Row[] }} Project */
/** @typedef {{ id: string, name: string, since?: number, projects: Project[], billing: string | null }} Person `since`: when they signed up, ms */
/** @typedef {{ current: string | null, people: Person[], locale: 'en' | 'de', appVersion: string, curtain: boolean }} Saved */

const KEY = 'acme';

/** @returns {Saved} */
function load() {
  const blank = { current: null, people: [], locale: navigator.language.startsWith('de') ? 'de' : 'en', appVersion: '', curtain: true };
  try {
    return { ...blank, ...JSON.parse(localStorage.getItem(KEY) ?? '{}') };
  } catch {
    return /** @type {Saved} */ (blank);
  }
}

export const state = load();

export const save = () => localStorage.setItem(KEY, JSON.stringify(state));

/** Who is signed in. */
export const person = () => state.people.find(({ id }) => id === state.current);

/** @param {string} name @returns {Person} */
export function signUp(name) {
  const made = { id: crypto.randomUUID(), name, since: Date.now(), projects: [], billing: null };
  state.people.push(made);
  state.current = made.id;
  save();
  return made;
}

/** Forgets who is signed in, and all that they made. */
export function forget() {
  state.people = state.people.filter(({ id }) => id !== state.current);
  state.current = null;
  save();
}

/** All rows of the signed-in person's projects. */
export const allRows = () => (person()?.projects ?? []).flatMap(({ rows }) => rows);
