// When something may happen: the path changes, the user is free, a session is over.

const IDLE_MS = 30 * 60_000;
const TYPING_MS = 1500;
const LOOK_MS = 200;

/** @type {import('./types.js').WatchPath} */
export const watchPath = (onPath, signal) => {
  let path = location.pathname;
  const look = () => {
    if (signal.aborted || path === location.pathname) return;
    path = location.pathname;
    onPath();
  };
  addEventListener('popstate', look, { signal });
  const { navigation } = /** @type {any} */ (globalThis);
  if (navigation) return navigation.addEventListener('currententrychange', look, { signal });
  for (const name of /** @type {const} */ (['pushState', 'replaceState'])) {
    const original = history[name];
    history[name] = (...args) => {
      original.apply(history, args);
      look();
    };
  }
};

/** @type {import('./types.js').SessionId} */
export const sessionId = (key, store, now) => {
  const [id, at] = (store.getItem(key) ?? '').split(' ');
  const current = id && now - Number(at) < IDLE_MS ? id : crypto.randomUUID();
  store.setItem(key, `${current} ${now}`);
  return current;
};

/** @type {import('./types.js').WatchUser} */
export const watchUser = (signal) => {
  let typed = -Infinity;
  document.addEventListener('input', () => { typed = performance.now(); }, { capture: true, signal });
  document.addEventListener('submit', () => { typed = -Infinity; }, { capture: true, signal });

  const busy = () => document.visibilityState !== 'visible' || document.querySelector(':modal')
    || (performance.now() - typed < TYPING_MS && document.activeElement?.matches('input, textarea, select, [contenteditable]'));

  return () => new Promise((resolve) => {
    const look = () => {
      if (signal.aborted) return;
      if (busy()) setTimeout(look, LOOK_MS);
      else resolve();
    };
    look();
  });
};
