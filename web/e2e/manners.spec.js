// Guides keep out of the product's way, and lead where one sees them lead. What the page remembers, the server does, too.
import { expect, test } from './fixtures.js';

const overlap = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

test.use({ viewport: { width: 1280, height: 800 } });

test('a call that leads to this very page shows where it leads', async ({ acme, page }) => {
  await acme.signUp();
  await acme.createProject();
  await expect(acme.title).toHaveText('Bring in your data');
  await acme.expectShown();
  const button = page.locator('[data-guide="import"]');
  await expect(button).toHaveCSS('outline-style', 'none');
  await acme.cta.click();
  await expect(button).toBeFocused();
  await expect(button).toHaveCSS('outline-style', 'solid');
  await acme.shot('30-led');
  expect(await button.evaluate((element) => element.hasAttribute('style'))).toBe(false);
});

test('a tooltip opens away from the navigation', async ({ acme, page }) => {
  await acme.signUp();
  await acme.createProject();
  await acme.importSample('good');
  await expect(acme.title).toHaveText(/Your first report is ready|Curious what your data says\?/);
  await acme.expectShown();
  await acme.shot('31-room');
  const card = await acme.guide.locator('.card').boundingBox();
  const anchor = await page.locator('[data-guide="reports"]').boundingBox();
  expect(overlap(card, await page.locator('.sidebar').boundingBox())).toBe(false);
  expect(Math.abs(card.x - anchor.x)).toBeLessThan(24);
});

test('a banner stays inside the product', async ({ acme, page }) => {
  await acme.signUp();
  await acme.createProject();
  await acme.open('Billing');
  for (const times of [1, 2]) {
    await acme.payWith('4000 0000 0000 0002');
    await acme.expectEvents('form_submit', 1 + times);
  }
  await expect(acme.guide).toHaveAttribute('data-kind', 'banner');
  await acme.expectShown();
  await acme.shot('32-banner');
  const card = await acme.guide.locator('.card').boundingBox();
  const stage = await page.locator('.stage').boundingBox();
  expect(card.x).toBeGreaterThanOrEqual(stage.x);
  expect(card.x + card.width).toBeLessThanOrEqual(stage.x + stage.width);

  // The panel says what stopped the guide that only repeats the request for a card, with the names as names.
  const stopped = page.locator('.gates .stopped', { hasText: 'connect-billing' }).locator('p').last();
  await expect(stopped).toHaveText('Milestone billing is blocked; the guide needs it to be open. Time alone opens this gate: in 7 days.');
  await expect(stopped.locator('code')).toHaveText(['billing']);

  // Where the panel lies over the product, a guide makes way for it.
  await page.setViewportSize({ width: 390, height: 800 });
  await page.getByRole('button', { name: 'Close the curtain' }).click();
  await expect(acme.guide.locator('.card')).toBeVisible();
  await page.getByRole('button', { name: 'Behind the curtain' }).click();
  await expect(acme.guide.locator('.card')).toBeHidden();
});

test('a guide is hidden while a menu of the page is open where it stands', async ({ acme, page }) => {
  await acme.signUp();
  await acme.expectShown();
  const card = acme.guide.locator('.card');
  const box = await card.boundingBox();
  await page.locator('.account summary').click();
  expect(overlap(box, await page.locator('.menu').boundingBox())).toBe(true);
  await expect(card).toBeHidden();
  await acme.shot('33-menu');
  await page.keyboard.press('Escape');
  await page.locator('.account summary').click();
  await expect(card).toBeVisible();
  expect(await acme.events('guide_dismissed')).toEqual([]);
});

test.describe('with a server that began anew', () => {
  test.use({ expected: [/404/] });

  for (const known of ['nothing', 'something later']) {
    test(`who is remembered here while the server knows ${known} of them starts over`, async ({ acme, page, server }) => {
      const id = crypto.randomUUID();
      if (known !== 'nothing') {
        const body = JSON.stringify({ userId: id, sessionId: 's', eventType: 'page_view' });
        await server.api('/events', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
        await expect.poll(() => server.api(`/users/${id}`).then(({ events }) => events, () => 0)).toBe(1);
      }
      await page.addInitScript((who) => {
        const people = [{ id: who, name: 'Ida', since: Date.now() - 3_600_000, projects: [{ name: 'Sales', rows: [] }], billing: null }];
        localStorage.setItem('acme', JSON.stringify({ current: who, people }));
      }, id);
      await page.goto(server.url);
      await expect(page.getByLabel('First name')).toBeVisible();
      await expect(page.getByRole('status')).toHaveText('The demo was started anew and no longer knows Ida.');
      await acme.shot('34-anew');
      expect(await page.evaluate(() => JSON.parse(localStorage.getItem('acme')).people)).toEqual([]);
    });
  }
});
