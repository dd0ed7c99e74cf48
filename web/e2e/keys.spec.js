// With keys instead of --dev: a page that is not listed is told so, and the last resort of a page that goes proves its user.
import { createHmac } from 'node:crypto';
import { expect, test } from '@playwright/test';
import { startServer } from './server.js';

const SECRET_KEY = 'sk_00000000000000000000000000000000';
const PUBLISHABLE_KEY = 'pk_00000000000000000000000000000000';
const TOKEN_SECRET = 'a secret of at least thirty-two bytes';

const settings = `
[[keys]]
key = "${SECRET_KEY}"
kind = "secret"
product = "acme"

[[keys]]
key = "${PUBLISHABLE_KEY}"
kind = "publishable"
product = "acme"
origins = []
user_token_secret = "${TOKEN_SECRET}"
`;

/** A signed user. @param {string} sub */
function signed(sub) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const said = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub })}`;
  return `${said}.${createHmac('sha256', TOKEN_SECRET).update(said).digest('base64url')}`;
}

let server;
test.beforeEach(async () => { server = await startServer(['certain'], settings); });
test.afterEach(() => server.stop());

test('a page whose origin is not listed is told what to do', async ({ page }) => {
  const said = page.waitForEvent('console', (message) => message.type() === 'error' && message.text().startsWith('Pilotage runs at'));
  await page.goto(`${server.url.replace('127.0.0.1', 'localhost')}/healthz`);
  await page.evaluate(async ([endpoint, key]) => {
    const { start } = await import(`${endpoint}/sdk.js`);
    start({ endpoint, key, userId: crypto.randomUUID() });
  }, [server.url, PUBLISHABLE_KEY]);
  const text = (await said).text();
  expect(text).toContain(server.url.replace('127.0.0.1', 'localhost'));
  expect(text).toContain('`origins`');
});

test('what is left goes by beacon with the proof of its user', async ({ page }) => {
  await page.goto(`${server.url}/healthz`);
  const userId = crypto.randomUUID();
  const lastWord = page.waitForResponse((response) => response.url().includes('/events/batch?key='));
  await page.evaluate(async ([key, id, userToken]) => {
    const { start } = await import('/sdk.js');
    const client = start({ key, userId: id, userToken });
    window.fetch = () => Promise.reject(new TypeError('the page is going'));
    client.track('signed_up');
    dispatchEvent(new Event('pagehide'));
  }, [PUBLISHABLE_KEY, userId, signed(userId)]);
  expect((await lastWord).status()).toBe(202);
  const headers = { authorization: `Bearer ${SECRET_KEY}` };
  await expect.poll(async () => (await server.api(`/users/${userId}`, { headers }).catch(() => undefined))?.events).toBe(2);
});
