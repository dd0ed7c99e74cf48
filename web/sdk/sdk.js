// Pilotage in the browser: tells what the user does, asks for a guide when it may, shows it. What is shown is the
// server's choice alone. The shapes and contracts stand in types.d.ts, the manual in README.md.

/** @import { Client, Component, Decision, Guide, Options, QueuedEvent } from './types.js' */
import { sessionId, watchPath, watchUser } from './sdk/moments.js';
import { memoryStore, openQueue } from './sdk/queue.js';
import { openSender } from './sdk/sender.js';

/** @type {Component[]} */
const DRAWN = ['tooltip', 'hotspot', 'banner', 'modal'];
/** Events that leave what a guide says as true as it was. */
const PASSING = /^(page_view|button_click|tooltip_dismiss|guide_.*)$/;
const ASK_MS = 80;
const MAX_KEEPALIVE = 60_000; // bytes
const EXPIRY_MS = 500;

/** @param {'localStorage' | 'sessionStorage'} name */
function storeOf(name) {
  try {
    globalThis[name].setItem('pilotage', '');
    return globalThis[name];
  } catch {
    return memoryStore();
  }
}

/** @param {Options} options */
function connect({ endpoint = new URL(import.meta.url).origin, key, product, userToken }) {
  const headers = new Headers({ 'content-type': 'application/json' });
  if (key) headers.set('authorization', `Bearer ${key}`);
  if (product) headers.set('x-pilotage-product', product);
  if (userToken) headers.set('x-pilotage-user-token', userToken);

  const post = (/** @type {string} */ path, /** @type {string} */ body) => fetch(endpoint + path, {
    method: 'POST', headers, body, keepalive: new Blob([body]).size < MAX_KEEPALIVE, signal: AbortSignal.timeout(30_000),
  }).catch((fault) => {
    if (key) import('./sdk/unheard.js').then((room) => room.explain(endpoint), () => {});
    throw fault;
  });
  const beacon = (/** @type {string} */ path, /** @type {string} */ body) => post(path, body).catch(() => {
    navigator.sendBeacon(`${endpoint}${path}?key=${encodeURIComponent(key ?? '')}`, new Blob([JSON.stringify({ userToken, ...JSON.parse(body) })], { type: 'application/json' }));
  });
  return { post, beacon };
}

/** @param {Options} options @returns {Client} */
export function start(options) {
  const { product = '', appVersion, headless, onError = () => {} } = options;
  const locale = options.locale || document.documentElement.lang || navigator.language;
  const components = options.components ?? (headless ? [...DRAWN, 'checklist', 'headless'] : DRAWN);
  let { userId, anonymousId } = options;

  const life = new AbortController();
  const { signal } = life;
  const { post, beacon } = connect(options);
  const userFree = watchUser(signal);
  const sessions = storeOf('sessionStorage');
  const queue = openQueue(`pilotage.${product}.`, storeOf('localStorage'), (eventId) => onError({ code: 'queue_full', eventId }));
  const sender = openSender({
    queue, post, beacon, onError,
    // A signed user's token speaks for that user alone.
    wanted: (event) => !options.userToken || event.userId === userId,
    onAccepted(events) {
      const last = events.findLast(isNews);
      if (!last || signal.aborted) return;
      after = last.eventId;
      wanted = true;
      clearTimeout(timer);
      timer = setTimeout(decide, ASK_MS);
    },
  });

  /** The guide on screen or on its way. @type {AbortController | undefined} */
  let current;
  /** @type {Promise<Decision | undefined> | undefined} */
  let asking;
  let wanted = false; // something happened that no decision knows of
  let deeds = 0;
  let after = '';
  let timer = 0;

  const session = () => options.sessionId ?? sessionId(`pilotage.${product}.${anonymousId ?? userId}`, sessions, Date.now());
  const context = () => ({ path: location.pathname, appVersion, locale });
  const isNews = (/** @type {QueuedEvent} */ event) => event.userId === userId && !event.eventType.startsWith('guide_');
  const page = () => void track('page_view', { path: location.pathname });

  /** @type {Client['track']} */
  function track(eventType, payload, attributes) {
    const eventId = crypto.randomUUID();
    const { timeZone: timezone } = Intl.DateTimeFormat().resolvedOptions();
    if (!signal.aborted) {
      queue.push({
        eventId, userId, anonymousId, sessionId: session(), eventType, timestamp: new Date().toISOString(), payload, attributes,
        context: { ...context(), timezone },
      });
      sender.soon();
    }
    if (!PASSING.test(eventType)) {
      deeds++;
      current?.abort();
    }
    return eventId;
  }

  /** @type {Client['decide']} */
  async function decide() {
    wanted = true;
    if (current) return undefined;
    asking ??= ask().catch(() => undefined).finally(() => {
      asking = undefined;
      if (wanted) decide();
    });
    return asking;
  }

  /** @returns {Promise<Decision | undefined>} */
  async function ask() {
    await userFree();
    wanted = false;
    if (queue.peek(isNews).length) return undefined; // the answer would be older than the facts; their acceptance asks again
    const known = deeds;
    const asked = { userId, sessionId: session(), context: { ...context(), components }, ...(after && { after, waitMs: 500 }) };
    const response = await post('/api/v1/decisions', JSON.stringify(asked));
    if (!response.ok) return undefined;
    /** @type {Decision} */
    const decision = await response.json();
    // The server's clock, where it says it: the user's may be wrong.
    const now = Date.parse(response.headers.get('date') ?? '') || Date.now();
    const left = Date.parse(decision.expiresAt ?? '') - now - 1000; // that header counts whole seconds
    const { guide } = decision;
    if (signal.aborted) return undefined;
    options.onDecision?.(decision);
    if (guide && asked.userId === userId && deeds === known) present(decision.decisionId, guide, asked.context.path, left);
    return decision;
  }

  /** @param {string} decisionId @param {Guide} guide @param {string} path where it was asked for @param {number} left ms */
  async function present(decisionId, guide, path, left) {
    const ending = new AbortController();
    current = ending;
    const end = () => ending.abort();
    // Looked at again and again: one long timer stands still while the machine sleeps.
    const deadline = Date.now() + left;
    const expire = () => { if (Date.now() >= deadline) end(); };
    const expiry = setInterval(expire, EXPIRY_MS);
    ending.signal.addEventListener('abort', () => {
      clearInterval(expiry);
      current = undefined;
      if (wanted) decide();
    });
    let seen = false;
    const handle = {
      decisionId,
      shown() { seen ||= !!track('guide_shown', { decisionId }); },
      clicked() {
        handle.shown(); // who follows or closes it has seen it
        track('guide_clicked', { decisionId });
        end();
      },
      dismissed(reason = 'close') {
        if (reason === 'close') handle.shown();
        if (seen) track('guide_dismissed', { decisionId, reason });
        end();
      },
    };

    await userFree();
    expire();
    if (location.pathname !== path) end();
    if (ending.signal.aborted || options.onGuide?.(guide, handle)) return;
    const fault = headless || !DRAWN.includes(guide.component) ? 'undrawable'
      : await import('./sdk/guide.js').then((room) => room.present(guide, handle, options, ending), () => /** @type {const} */ ('undrawable'));
    if (!fault) return;
    if (fault.startsWith('anchor')) track('guide_failed', { decisionId, reason: fault });
    onError({ code: fault, guideId: guide.id });
    end();
  }

  watchPath(() => {
    current?.abort();
    page();
  }, signal);
  addEventListener('online', sender.now, { signal });
  addEventListener('pagehide', sender.last, { signal });
  page();

  return {
    get sessionId() { return session(); },
    track,
    page,
    decide,
    identify(id, attributes) {
      if (id !== userId) {
        current?.abort();
        anonymousId = userId.startsWith('anon-') ? userId : undefined;
      }
      userId = id;
      track('page_view', { path: location.pathname }, attributes);
    },
    stop() {
      wanted = false;
      clearTimeout(timer);
      life.abort();
      current?.abort();
      sender.stop();
    },
  };
}

/** The client of `<script type="module" src="/sdk.js" data-user="…">`, where the page has one. */
export const client = (() => {
  const tags = /** @type {NodeListOf<HTMLScriptElement>} */ (document.querySelectorAll('script[data-user]'));
  const { user: userId, ...data } = [...tags].find((tag) => tag.src === import.meta.url)?.dataset ?? {};
  return userId ? start({ ...data, userId }) : undefined;
})();
