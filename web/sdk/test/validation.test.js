// A decision's validationHash, worked out from its JSON and the server's key by what the documentation says. Must not be part of
// what a browser loads: the key never leaves the server.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

const vectors = JSON.parse(await readFile(new URL('validation.json', import.meta.url), 'utf8'));

/** RFC 8785 for objects whose keys are plain: JSON.stringify writes numbers and texts as it asks for. */
const canonical = (value) => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(',')}}`;
};

const orNull = (value) => value ?? null;
const instant = (text) => (text === undefined ? null : Date.parse(text));

const sealedGuide = (guide) => ({
  action: orNull(guide.action?.path),
  anchor: orNull(guide.target.anchor),
  component: guide.component,
  id: guide.id,
  milestone: guide.milestone,
  path: orNull(guide.target.path),
  variant: guide.variant,
});

const sealedCopy = ({ body, cta, locale, title }) => ({ body: orNull(body), cta: orNull(cta), locale, title });

const seal = (decision, product, key) => {
  const content = canonical({
    at: instant(decision.at),
    decisionId: decision.decisionId,
    expiresAt: instant(decision.expiresAt),
    guide: decision.guide ? sealedGuide(decision.guide) : null,
    outcome: decision.outcome,
    policy: decision.policy,
    product,
    propensity: orNull(decision.propensity),
    reason: orNull(decision.reason),
    signature: decision.signature,
    userId: decision.userId,
  });
  const copy = canonical(decision.guide ? sealedCopy(decision.guide.copy) : null);
  return createHmac('sha256', key)
    .update(content)
    .update(Buffer.from(decision.catalogueHash, 'hex'))
    .update(createHash('sha256').update(copy).digest())
    .digest('hex');
};

const key = Buffer.from(vectors.key, 'hex');

test('every decision of the vectors has the hash that its content comes to', () => {
  assert.equal(vectors.decisions.length, 4);
  for (const decision of vectors.decisions) {
    assert.equal(seal(decision, vectors.product, key), decision.validationHash, decision.decisionId);
  }
});

test('whatever is changed in a decision, its hash is another', () => {
  const [shown] = vectors.decisions;
  const changes = [
    (decision) => { decision.guide.copy.title += '!'; },
    (decision) => { decision.guide.copy.cta = undefined; },
    (decision) => { decision.guide.action.path = '/elsewhere'; },
    (decision) => { decision.guide.variant = 'other'; },
    (decision) => { decision.userId += '0'; },
    (decision) => { decision.propensity /= 2; },
    (decision) => { decision.catalogueHash = decision.catalogueHash.replace(/^./, (digit) => (digit === '0' ? '1' : '0')); },
  ];
  for (const change of changes) {
    const changed = structuredClone(shown);
    change(changed);
    assert.notEqual(seal(changed, vectors.product, key), shown.validationHash, String(change));
  }
});
