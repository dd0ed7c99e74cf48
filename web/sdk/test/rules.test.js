// Sessions, places and paths: the rules that need no browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionId } from '../moments.js';
import { fit, ownPath } from '../place.js';
import { memoryStore } from '../queue.js';

test('a session lasts while calls are less than half an hour apart', () => {
  const store = memoryStore();
  const minute = 60_000;
  const first = sessionId('s', store, 0);
  assert.equal(sessionId('s', store, 29 * minute), first);
  assert.equal(sessionId('s', store, 58 * minute), first);
  assert.notEqual(sessionId('s', store, 88 * minute), first);
  assert.notEqual(sessionId('other', store, 0), first);
});

test('only a path of this origin is followed', () => {
  const origin = 'https://app.example';
  for (const path of ['/', '/reports', '/a?b=c#d']) assert.equal(ownPath(path, origin), path);
  for (const path of ['', null, undefined, 'reports', '//evil.example', '/\\evil.example', '/\t/evil.example', 'https://evil.example', 'javascript:alert(1)']) {
    assert.equal(ownPath(path, origin), undefined, String(path));
  }
});

test('by hand, a box goes below its anchor, above where there is no room, to the side with more room, and never off the screen', () => {
  const view = { width: 1000, height: 800 };
  const box = { width: 300, height: 100 };
  const at = (left, top) => ({ left, top, right: left + 80, bottom: top + 30 });
  assert.deepEqual(fit(at(600, 100), box, view), { top: 138, left: 380 });
  assert.deepEqual(fit(at(600, 750), box, view), { top: 642, left: 380 });
  assert.deepEqual(fit(at(20, 100), box, view), { top: 138, left: 20 });
  assert.deepEqual(fit(at(300, 100), box, view), { top: 138, left: 300 });
  assert.deepEqual(fit(at(-200, 100), box, { width: 320, height: 800 }).left, 8);
});
