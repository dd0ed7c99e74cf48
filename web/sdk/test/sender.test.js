// The sender delivers at least once, waits as it is told and never drops what was not answered for.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { memoryStore, openQueue } from '../queue.js';
import { backoff, openSender, verdict } from '../sender.js';

/** Lets every promise that is ready run. */
const settle = async () => { for (let n = 0; n < 20; n++) await Promise.resolve(); };
const queued = (events) => ({ results: events.map(({ eventId }) => ({ eventId, status: 'queued' })) });
const answer = (status, body, headers = {}) => ({ status, headers: new Headers(headers), json: async () => body });

/** @param {(events: any[], call: number) => any} respond */
function setup(respond) {
  const seen = { posts: [], accepted: [], faults: [], beacons: [] };
  const queue = openQueue('q.', memoryStore(), assert.fail);
  const sender = openSender({
    queue,
    post: async (path, body) => {
      const { events } = JSON.parse(body);
      seen.posts.push(events.map(({ eventId }) => eventId));
      return respond(events, seen.posts.length);
    },
    beacon: (path, body) => seen.beacons.push(JSON.parse(body).events.map(({ eventId }) => eventId)),
    wanted: () => true,
    onAccepted: (events) => seen.accepted.push(...events.map(({ eventId }) => eventId)),
    onError: (fault) => seen.faults.push(fault),
  });
  const track = (eventId) => {
    queue.push({ eventId });
    sender.soon();
  };
  return { seen, queue, sender, track };
}

/** @param {string} name @param {() => Promise<void>} body */
const timed = (name, body) => test(name, async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(Math, 'random', () => 0.5);
  try {
    await body();
  } finally {
    mock.timers.reset();
    mock.restoreAll();
  }
});

test('back-off doubles up to its cap, is fully jittered and never undercuts Retry-After', () => {
  assert.equal(backoff(1, 0, null), 0);
  assert.equal(backoff(1, 0.5, null), 1000);
  assert.equal(backoff(3, 0.5, null), 4000);
  assert.equal(backoff(50, 0.5, null), 30_000);
  assert.equal(backoff(1, 0, '7'), 7000);
  assert.equal(backoff(1, 0.5, '7'), 8000);
  assert.equal(backoff(1, 0.5, 'soon'), 1000);
});

test('each status has its meaning', () => {
  const cases = { 200: 'ok', 202: 'ok', 400: 'drop', 401: 'halt', 403: 'halt', 408: 'retry', 413: 'drop', 415: 'drop', 429: 'retry', 500: 'retry', 503: 'retry', 0: 'retry' };
  for (const [status, meaning] of Object.entries(cases)) assert.equal(verdict(Number(status)), meaning, status);
});

timed('neighbours travel together', async () => {
  const { seen, queue, track } = setup((events) => answer(202, queued(events)));
  for (const id of ['a', 'b', 'c']) track(id);
  mock.timers.tick(60);
  await settle();
  assert.deepEqual(seen.posts, [['a', 'b', 'c']]);
  assert.deepEqual(seen.accepted, ['a', 'b', 'c']);
  assert.equal(queue.peek(() => true).length, 0);
});

timed('what a failure leaves is sent again after the back-off, with the same ids', async () => {
  const { seen, track } = setup((events, call) => (call === 1 ? answer(503, undefined, { 'retry-after': '2' }) : answer(202, queued(events))));
  track('a');
  mock.timers.tick(60);
  await settle();
  track('b');
  mock.timers.tick(2999);
  await settle();
  assert.equal(seen.posts.length, 1, 'a new event does not cut the back-off short');
  mock.timers.tick(1);
  await settle();
  assert.deepEqual(seen.posts, [['a'], ['a', 'b']]);
  assert.deepEqual(seen.accepted, ['a', 'b']);
  assert.deepEqual(seen.faults.map(({ code, status }) => [code, status]), [['unreachable', 503]]);
});

timed('no network at all is a failure like any other, and its return ends the back-off', async () => {
  const { seen, sender, track } = setup((events, call) => (call === 1 ? Promise.reject(new TypeError('offline')) : answer(202, queued(events))));
  track('a');
  mock.timers.tick(60);
  await settle();
  sender.now();
  mock.timers.tick(0);
  await settle();
  assert.deepEqual(seen.accepted, ['a']);
});

timed('a rejected event is reported and gone; its neighbours are accepted', async () => {
  const { seen, queue, track } = setup((events) => answer(202, { results: events.map(({ eventId }) => (eventId === 'bad' ? { status: 'rejected', code: 'validation_failed' } : { status: 'duplicate' })) }));
  track('bad');
  track('good');
  mock.timers.tick(60);
  await settle();
  assert.deepEqual(seen.accepted, ['good']);
  assert.deepEqual(seen.faults, [{ code: 'rejected', eventId: 'bad', details: 'validation_failed' }]);
  assert.equal(queue.peek(() => true).length, 0);
});

timed('a refused batch is dropped, a refused key keeps the queue and ends the asking', async () => {
  const refused = setup(() => answer(400, { detail: 'no' }));
  refused.track('a');
  mock.timers.tick(60);
  await settle();
  assert.equal(refused.queue.peek(() => true).length, 0);

  const halted = setup(() => answer(401, undefined));
  halted.track('a');
  mock.timers.tick(60);
  await settle();
  halted.track('b');
  mock.timers.tick(120_000);
  await settle();
  assert.equal(halted.seen.posts.length, 1);
  assert.equal(halted.queue.peek(() => true).length, 2);
});

timed('more than one batch goes out one after the other', async () => {
  const { seen, track } = setup((events) => answer(202, queued(events)));
  for (let n = 0; n < 250; n++) track(`e${n}`);
  mock.timers.tick(60);
  await settle();
  assert.deepEqual(seen.posts.map(({ length }) => length), [100, 100, 50]);
  assert.equal(new Set(seen.posts.flat()).size, 250);
});

timed('the last word leaves out what is under way and keeps the rest queued', async () => {
  const { seen, queue, sender, track } = setup(() => new Promise(() => {}));
  track('flying');
  mock.timers.tick(60);
  await settle();
  track('waiting');
  sender.last();
  assert.deepEqual(seen.beacons, [['waiting']]);
  assert.equal(queue.peek(() => true).length, 2);
});

timed('after stop there is one more try and no other', async () => {
  const { seen, sender, track } = setup(() => answer(503, undefined));
  track('a');
  sender.stop();
  await settle();
  mock.timers.tick(120_000);
  await settle();
  assert.equal(seen.posts.length, 1);
});
