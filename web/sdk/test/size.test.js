// What a page loads is part of the product: the SDK as it is served, each module gzipped by itself, comments and all.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const size = (...names) => names.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(`../${name}.js`, import.meta.url)), { level: 9 }).length, 0);

test('before the first guide a page loads at most 6.5 kB', () => {
  assert.ok(size('sdk', 'queue', 'sender', 'moments') <= 6500, String(size('sdk', 'queue', 'sender', 'moments')));
});

test('what draws guides, loaded with the first of them, is at most 6.5 kB', () => {
  assert.ok(size('guide', 'place', 'draw', 'style') <= 6500, String(size('guide', 'place', 'draw', 'style')));
});
