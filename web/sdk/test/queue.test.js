// The queue loses nothing that it has room for, and says what it loses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStore, openQueue } from '../queue.js';

const event = (eventId, filler = '') => ({ eventId, userId: 'u', eventType: 'page_view', payload: { filler } });
const all = () => true;
const ids = (entries) => entries.map(({ event: { eventId } }) => eventId);

test('gives events back in the order they came, until they are removed', () => {
  const queue = openQueue('q.', memoryStore(), assert.fail);
  for (const id of ['a', 'b', 'c']) queue.push(event(id));
  assert.deepEqual(ids(queue.peek(all)), ['a', 'b', 'c']);
  queue.remove(queue.peek(({ eventId }) => eventId !== 'b'));
  assert.deepEqual(ids(queue.peek(all)), ['b']);
});

test('a second queue on the same store, as after a reload, holds what the first left', () => {
  const store = memoryStore();
  openQueue('q.', store, assert.fail).push(event('a'));
  const later = openQueue('q.', store, assert.fail);
  later.push(event('b'));
  assert.deepEqual(ids(later.peek(all)), ['a', 'b']);
});

test('keys of others are neither read nor touched', () => {
  const store = memoryStore();
  store.setItem('other', 'x');
  const queue = openQueue('q.', store, assert.fail);
  queue.push(event('a'));
  assert.deepEqual(ids(queue.peek(all)), ['a']);
  assert.equal(store.getItem('other'), 'x');
});

test('a batch has at most 100 events and stays within what a keepalive request carries', () => {
  const queue = openQueue('q.', memoryStore(), assert.fail);
  for (let n = 0; n < 150; n++) queue.push(event(`e${n}`));
  assert.equal(queue.peek(all).length, 100);
  const heavy = openQueue('h.', memoryStore(), assert.fail);
  for (let n = 0; n < 10; n++) heavy.push(event(`e${n}`, 'x'.repeat(9000)));
  assert.equal(heavy.peek(all).length, 3);
});

test('one event larger than a batch still goes, alone', () => {
  const queue = openQueue('q.', memoryStore(), assert.fail);
  queue.push(event('big', 'x'.repeat(90_000)));
  queue.push(event('small'));
  assert.deepEqual(ids(queue.peek(all)), ['big']);
});

test('beyond a thousand events the oldest give way, each by name', () => {
  const lost = [];
  const queue = openQueue('q.', memoryStore(), (id) => lost.push(id));
  for (let n = 0; n < 1003; n++) queue.push(event(`e${n}`));
  assert.deepEqual(lost, ['e0', 'e1', 'e2']);
  assert.equal(queue.peek(all)[0].event.eventId, 'e3');
});

test('beyond the size bound the oldest give way', () => {
  const lost = [];
  const queue = openQueue('q.', memoryStore(), (id) => lost.push(id));
  for (let n = 0; n < 5; n++) queue.push(event(`e${n}`, 'x'.repeat(99_000)));
  assert.deepEqual(lost, ['e0']);
});

test('an event larger than the whole queue is lost alone', () => {
  const lost = [];
  const queue = openQueue('q.', memoryStore(), (id) => lost.push(id));
  queue.push(event('small'));
  queue.push(event('huge', 'x'.repeat(500_000)));
  assert.deepEqual(lost, ['huge']);
  assert.deepEqual(ids(queue.peek(all)), ['small']);
});

test('a full origin quota costs the oldest, not the newest', () => {
  const store = memoryStore();
  const roomy = store.setItem;
  store.setItem = (key, value) => {
    if (store.length >= 2) throw new Error('QuotaExceededError');
    roomy(key, value);
  };
  const lost = [];
  const queue = openQueue('q.', store, (id) => lost.push(id));
  for (const id of ['a', 'b', 'c']) queue.push(event(id));
  assert.deepEqual(lost, ['a']);
  assert.deepEqual(ids(queue.peek(all)), ['b', 'c']);
});

test('an entry that is not JSON is dropped and the rest goes on', () => {
  const store = memoryStore();
  store.setItem('q.000000000.broken', '{');
  const lost = [];
  const queue = openQueue('q.', store, (id) => lost.push(id));
  queue.push(event('a'));
  assert.deepEqual(ids(queue.peek(all)), ['a']);
  assert.deepEqual(lost, ['broken']);
});
