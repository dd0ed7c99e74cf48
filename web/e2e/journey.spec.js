// The main job: guides lead a new user to the first report, and lead no one astray.
import { expect, test } from './fixtures.js';

test('a new user reaches the first report by following guides alone', async ({ acme, page }) => {
  await page.goto(acme.server.url);
  await acme.shot('01-sign-up');
  await acme.signUp('Ada');

  await expect(acme.title).toHaveText(/Start your first project|Ready, Ada\?/);
  await acme.expectShown();
  await acme.shot('02-create-project');
  await acme.cta.click();
  await acme.fillProject();

  await expect(acme.title).toHaveText('Bring in your data');
  await acme.expectShown();
  await acme.shot('03-import-data');
  await acme.cta.click();
  await expect(page.locator('[data-guide="import"]')).toBeFocused();
  await acme.importSample('good');

  await expect(acme.title).toHaveText(/Your first report is ready|Curious what your data says\?/);
  await acme.expectShown();
  await acme.shot('04-open-report');
  await acme.cta.click();

  await expect(page).toHaveURL(/\/reports$/);
  await acme.expectStatus('first_report', 'reached');
  const user = await acme.server.api(`/users/${await acme.userId()}`);
  expect(user.activatedAt).toBeTruthy();
  await expect(page.locator('[data-milestone=first_report]')).toHaveClass('reached');
  await acme.shot('05-first-report');

  // Every offer was seen and followed, and says so under its own decision's name.
  const [shown, clicked] = [await acme.expectEvents('guide_shown', 3), await acme.expectEvents('guide_clicked', 3)];
  expect(clicked.map(({ payload }) => payload.decisionId)).toEqual(shown.map(({ payload }) => payload.decisionId));
});

test('two declined cards: the way out is offered, a card is never asked for again', async ({ acme, page }) => {
  await acme.signUp();
  await acme.createProject();
  await acme.open('Billing');
  await expect(acme.guide).toHaveAttribute('data-kind', 'hotspot');
  await acme.expectShown();
  await acme.shot('10-hotspot');

  await acme.payWith('4000 0000 0000 0002');
  await expect(page.getByText('Your card was declined').first()).toBeVisible();
  await acme.payWith('4000 0000 0000 0002');
  await acme.expectStatus('billing', 'blocked');

  await expect(acme.guide).toHaveAttribute('data-kind', 'banner');
  await expect(acme.title).toHaveText('Your card was declined');
  await acme.shot('11-way-out');
  const before = (await acme.offered()).length;

  for (const name of ['Projects', 'Billing', 'Support', 'Billing']) {
    await acme.open(name);
    await expect(acme.guide).toHaveAttribute('data-kind', 'banner');
  }
  expect(new Set((await acme.offered()).slice(before))).toEqual(new Set(['retry-billing']));

  await acme.cta.click();
  await expect(page).toHaveURL(/\/settings\/billing\/retry$/);
  await acme.shot('12-retry');
  await page.getByLabel('IBAN').fill('DE00 1234 1234 1234 1234 00');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await acme.expectStatus('billing', 'reached');
  await expect(acme.guide).toHaveCount(0);
});

test('two failed imports: help is offered instead of the button', async ({ acme, page }) => {
  await acme.signUp();
  await acme.createProject();
  await acme.importSample('header');
  await expect(page.getByRole('alert')).toContainText('The header row must be');
  await acme.importSample('dates');
  await expect(acme.guide).toHaveAttribute('data-kind', 'modal');
  await expect(acme.title).toHaveText('Imports can be picky');
  await acme.expectShown();
  await acme.shot('13-import-help');
  await acme.cta.click();
  await expect(page).toHaveURL(/\/support$/);

  // On the page that it led to it is not offered again; back at the import it may be.
  await acme.expectNoGuide();
  await acme.open('Import');
  await expect(acme.title).toHaveText('Imports can be picky');
});

test.describe('with a guide that may come back at once', () => {
  test.use({ changes: ['certain', 'eager', 'often'] });

  test('a dismissal silences the milestone', async ({ acme, page }) => {
    await acme.signUp();
    await acme.expectShown();
    await acme.guide.getByRole('button', { name: 'Close' }).click();
    await expect(acme.guide).toHaveCount(0);
    const [dismissed] = await acme.expectEvents('guide_dismissed', 1);
    expect(dismissed.payload.reason).toBe('close');
    await acme.expectNoGuide('contact');

    // Another milestone is another matter.
    await acme.createProject();
    await expect(acme.title).toHaveText('Bring in your data');
    await expect(page).toHaveURL(/\/import$/);
  });
});

test('from 4.0.0 on nothing leads to the page that was removed', async ({ acme, page }) => {
  await acme.signUp();
  await page.locator('.account summary').click();
  await page.getByLabel('App version').selectOption('4.0.0');
  await acme.createProject();
  await acme.open('Billing');
  await acme.payWith('4000 0000 0000 0002');
  await acme.payWith('4000 0000 0000 0002');
  await acme.expectStatus('billing', 'blocked');
  await acme.expectNoGuide();
  expect(await acme.offered()).not.toContain('retry-billing');
  await page.goto(`${acme.server.url}/settings/billing/retry`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('This page does not exist');
});

test.describe('with the contact rules of acme.yaml as they are', () => {
  test.use({ changes: ['certain'] });

  test('after one guide there is silence for a while', async ({ acme }) => {
    await acme.signUp();
    await acme.expectShown();
    await acme.cta.click();
    await acme.fillProject();
    await acme.expectNoGuide('contact');
    await acme.expectStatus('data', 'open');
    expect(await acme.offered()).toEqual(['create-project']);
  });
});

test.describe('with the holdout of acme.yaml as it is', () => {
  test.use({ changes: ['eager'] });

  test('a holdout user sees no guide', async ({ acme, page, server }) => {
    // The group follows from product and user id alone: try ids until one is in it.
    const headers = { 'content-type': 'application/json' };
    let userId;
    for (let tries = 0; !userId && tries < 400; tries++) {
      const id = crypto.randomUUID();
      const event = { userId: id, sessionId: 's', eventType: 'signed_up', attributes: { tier: 'trial', firstName: 'Hal' } };
      await server.api('/events', { method: 'POST', headers, body: JSON.stringify(event) });
      if ((await server.api(`/users/${id}`)).holdout) userId = id;
    }
    expect(userId).toBeTruthy();
    await page.addInitScript((id) => {
      localStorage.setItem('acme', JSON.stringify({ current: id, people: [{ id, name: 'Hal', projects: [], billing: null }] }));
    }, userId);
    const answered = page.waitForResponse(/\/api\/v1\/decisions$/);
    await page.goto(`${server.url}/projects`);
    expect(await (await answered).json()).toMatchObject({ outcome: 'withhold', reason: 'holdout' });
    await expect(acme.guide).toHaveCount(0);
    await expect(page.getByRole('heading', { name: 'You are in the holdout' })).toBeVisible();
    await acme.shot('14-holdout');
    expect(await acme.offered()).toEqual([]);
    await page.getByRole('button', { name: 'Start as a new user' }).click();
    await expect(page.getByLabel('First name')).toBeFocused();
  });
});
