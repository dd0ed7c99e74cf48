// Takes the queue to the server, one request at a time. It drops no event without the server's word.

const PATH = '/api/v1/events/batch';
const GATHER_MS = 60;
const BASE_MS = 1000;
const CAP_MS = 60_000;

/** @type {import('./types.js').Backoff} */
export const backoff = (attempt, random, retryAfter) => (Number(retryAfter) * 1000 || 0) + random * Math.min(CAP_MS, BASE_MS * 2 ** attempt);

/** @type {import('./types.js').Verdict} */
export const verdict = (status) => {
  if (status >= 200 && status < 300) return 'ok';
  if (status === 401 || status === 403) return 'halt';
  return status === 0 || status === 408 || status === 429 || status >= 500 ? 'retry' : 'drop';
};

/** @type {import('./types.js').OpenSender} */
export const openSender = ({ queue, post, beacon, wanted, onAccepted, onError }) => {
  let timer = 0;
  let attempt = 0;
  let sending = false;
  let ended = false; // stopped, or the key is refused
  /** @type {Set<string>} */
  const flying = new Set();

  const later = (/** @type {number} */ ms) => {
    clearTimeout(timer);
    timer = setTimeout(flush, ms);
  };
  const bodyOf = (/** @type {import('./types.js').Entry[]} */ batch) => JSON.stringify({ events: batch.map(({ event }) => event) });

  /** @param {import('./types.js').Entry[]} batch @param {import('./types.js').Result[]} results */
  const settle = (batch, results) => {
    const accepted = batch.filter(({ event: { eventId } }, index) => {
      const { status, code, details } = results[index] ?? {};
      if (status === 'rejected') onError({ code: 'rejected', eventId, details: details ?? code });
      return status !== 'rejected';
    });
    queue.remove(batch);
    if (accepted.length) onAccepted(accepted.map(({ event }) => event));
  };

  /** Sends one batch. Gives the wait before the next, if there is one. */
  const step = async () => {
    const batch = queue.peek(wanted);
    if (!batch.length) return undefined;
    batch.forEach(({ key }) => flying.add(key));
    const response = await post(PATH, bodyOf(batch)).catch(() => undefined);
    const answer = await response?.json().catch(() => undefined);
    flying.clear();

    const status = response?.status ?? 0;
    const fate = verdict(status);
    if (fate === 'ok') settle(batch, answer?.results ?? []);
    else onError({ code: fate === 'retry' ? 'unreachable' : 'refused', status, details: answer });
    if (fate === 'drop') queue.remove(batch);
    if (fate === 'retry') return backoff(++attempt, Math.random(), response?.headers.get('retry-after') ?? null);
    attempt = 0;
    ended ||= fate === 'halt';
    return ended ? undefined : 0;
  };

  async function flush() {
    if (sending || ended) return;
    sending = true;
    let wait;
    do wait = await step(); while (wait === 0);
    sending = false;
    if (wait && !ended) later(wait);
  }

  return {
    soon: () => { if (!attempt) later(GATHER_MS); },
    now() {
      attempt = 0;
      later(0);
    },
    last() {
      const batch = queue.peek((event) => wanted(event)).filter(({ key }) => !flying.has(key));
      if (batch.length && !ended) beacon(PATH, bodyOf(batch));
    },
    stop() {
      flush();
      ended = true;
    },
  };
};
