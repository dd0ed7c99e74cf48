// The events not yet acknowledged, one storage entry each: no reload, dead network or second tab loses any. It never sends.

const MAX_COUNT = 1000;
const MAX_CHARS = 400_000;
const BATCH = 100;
const BATCH_CHARS = 30_000; // a keepalive request carries 64 KiB

/** For where the browser forbids storage. @returns {import('./types.js').Store} */
export function memoryStore() {
  const map = new Map();
  return {
    get length() { return map.size; },
    key: (index) => [...map.keys()][index],
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
  };
}

/** @type {import('./types.js').OpenQueue} */
export const openQueue = (prefix, store, onLost) => {
  let last = 0;

  // A key is prefix, time, event id. It sorts by time: fixed width, and no time twice in one page.
  const held = () => Array.from({ length: store.length }, (_, index) => store.key(index) ?? '')
    .filter((key) => key.startsWith(prefix)).sort()
    .map((key) => ({ key, text: store.getItem(key) ?? '' }));

  const lose = (/** @type {string} */ key) => {
    store.removeItem(key);
    onLost(key.slice(prefix.length + 10));
  };

  return {
    push(event) {
      last = Math.max(last + 1, Date.now());
      const key = `${prefix}${last.toString(36).padStart(9, '0')}.${event.eventId}`;
      const text = JSON.stringify(event);
      if (text.length > MAX_CHARS) return onLost(event.eventId);
      const older = held();
      let chars = older.reduce((sum, entry) => sum + entry.text.length, text.length);
      for (;;) {
        try {
          if (older.length < MAX_COUNT && chars <= MAX_CHARS) return store.setItem(key, text);
        } catch { /* the quota is full: the oldest give way */ }
        const oldest = older.shift();
        if (!oldest) return onLost(event.eventId);
        chars -= oldest.text.length;
        lose(oldest.key);
      }
    },

    peek(wanted) {
      const batch = [];
      let chars = 0;
      for (const { key, text } of held()) {
        let event;
        try {
          event = JSON.parse(text);
        } catch {
          lose(key);
          continue;
        }
        if (!wanted(event)) continue;
        chars += text.length;
        if (batch.length === BATCH || (batch.length && chars > BATCH_CHARS)) break;
        batch.push({ key, event });
      }
      return batch;
    },

    remove: (entries) => entries.forEach(({ key }) => store.removeItem(key)),
  };
};
