// How guides behave on a page: keyboard, motion, language, hostile text, a network that fails, an anchor that is not there.
import { expect, test } from './fixtures.js';

test('a keyboard is enough', async ({ acme, page }) => {
  await acme.signUp();
  const focused = () => page.evaluate(() => {
    const outer = document.activeElement;
    return outer?.shadowRoot?.activeElement?.className || outer?.getAttribute('data-guide') || outer?.tagName;
  });
  await acme.expectShown();
  // A tooltip takes no focus; it comes right after the element that it points at.
  expect(await focused()).not.toBe('cta');
  await page.locator('[data-guide="new-project"]').focus();
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('cta');
  await acme.shot('20-focus');
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('close');
  await page.keyboard.press('Escape');
  await expect(acme.guide).toHaveCount(0);
  expect(await focused()).toBe('new-project');
  expect((await acme.expectEvents('guide_dismissed', 1))[0].payload.reason).toBe('escape');

  // A project and two failed imports, without a mouse.
  await page.keyboard.press('Enter');
  await page.keyboard.type('Sales');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/import$/);
  const button = page.locator('[data-guide="import"]');
  for (let failures = 0; failures < 2; failures++) {
    await button.focus();
    await page.keyboard.press('Enter');
  }
  // A modal takes the focus, keeps it, and gives it back.
  await expect(acme.guide).toHaveAttribute('data-kind', 'modal');
  expect(await focused()).toBe('cta');
  for (let presses = 0; presses < 5; presses++) {
    await page.keyboard.press('Tab');
    expect(await focused()).not.toBe('import');
  }
  await page.keyboard.press('Escape');
  await expect(acme.guide).toHaveCount(0);
  await expect(button).toBeFocused();
});

test('a guide has a role, a name, a description, and is announced', async ({ acme, page }) => {
  await acme.signUp();
  const dialog = acme.guide.getByRole('dialog');
  await expect(dialog).toHaveAccessibleName(/Start your first project|Ready, Ada\?/);
  await expect(dialog).toHaveAccessibleDescription(/It takes about a minute\.|A project holds your data/);
  const voice = page.locator('[data-kind=voice] [aria-live=polite]');
  await expect(voice).toHaveText(/(Start your first project|Ready, Ada\?) .+/);
  await expect(voice).toHaveAttribute('lang', 'en');
});

test('a hotspot opens and closes, and leads into the form', async ({ acme, page }) => {
  await acme.signUp();
  await acme.createProject();
  await acme.open('Billing');
  const dot = acme.guide.getByRole('button', { name: 'Keep your workspace' });
  await expect(dot).toHaveAttribute('aria-expanded', 'false');
  await dot.press('Enter');
  await expect(acme.cta).toBeFocused();
  await acme.shot('21-hotspot-open');
  await acme.cta.press('Enter');
  await expect(page.getByLabel('Card number')).toBeFocused();
});

test('who wants no motion sees none', async ({ acme, page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await acme.signUp();
  await expect(acme.guide.locator('.card')).toHaveCSS('animation-name', 'none');
  await acme.expectShown();
});

test('dark pages get dark guides', async ({ acme, page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await acme.signUp();
  await expect(acme.guide.locator('.card')).toHaveCSS('background-color', 'rgb(29, 32, 41)');
  await acme.expectShown();
  await acme.shot('22-dark');
});

test('without CSS anchor positioning a guide still stands beside its anchor', async ({ acme, page }) => {
  await page.addInitScript(() => {
    const supports = CSS.supports.bind(CSS);
    CSS.supports = (...args) => args[0] !== 'position-area' && supports(...args);
    const { replaceSync } = CSSStyleSheet.prototype;
    CSSStyleSheet.prototype.replaceSync = function (text) { replaceSync.call(this, text.replaceAll(/position-(area|try-fallbacks|visibility):[^;}]+/g, '')); };
  });
  await acme.signUp();
  const card = acme.guide.locator('.card');
  await acme.expectShown();
  const [box, anchor] = [await card.boundingBox(), await page.locator('[data-guide="new-project"]').boundingBox()];
  expect(box.y).toBeGreaterThanOrEqual(anchor.y + anchor.height);
  expect(box.y - anchor.y - anchor.height).toBeLessThan(24);
  expect(Math.abs(box.x + box.width - anchor.x - anchor.width)).toBeLessThan(24);
});

test.describe('in a German browser', () => {
  test.use({ locale: 'de-AT' });

  test('users are guided in German', async ({ acme, page }) => {
    await page.goto(acme.server.url);
    await page.getByLabel('Vorname').fill('Jürgen');
    await page.getByRole('button', { name: 'Kostenlos testen' }).click();
    await expect(acme.title).toHaveText(/Starte dein erstes Projekt|Ready, Jürgen\?/);
    await expect(acme.guide.getByRole('button', { name: 'Schließen' })).toBeVisible();
    await acme.expectShown();
    await acme.shot('23-german');
  });
});

test('a name that looks like HTML is a name', async ({ acme, page }) => {
  const name = '<img src=x onerror="window.hacked=1">';
  await acme.signUp(name);
  await acme.expectShown();
  await expect(acme.title).toHaveText(/^(Start your first project|Ready, <img src=x onerror="window\.hacked=1">\?)$/);
  await expect(acme.guide.locator('img')).toHaveCount(0);
  await expect(page.locator('.who')).toHaveText(name);
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
});

test('no guide comes between a user and what they are typing', async ({ acme, page }) => {
  await acme.signUp();
  await acme.guide.getByRole('button', { name: 'Close' }).click();
  await acme.createProject();
  await expect(acme.title).toHaveText('Bring in your data');
  await acme.importSample('dates');
  // Send the form once more and go on typing at once, twenty letters long.
  await page.evaluate(() => {
    const text = document.querySelector('textarea');
    const typed = Object.assign(window, { letters: 0, disturbed: false });
    text.form.requestSubmit();
    text.focus();
    const typing = setInterval(() => {
      text.value += 'x';
      text.dispatchEvent(new InputEvent('input', { bubbles: true }));
      typed.disturbed ||= !!document.querySelector('[data-pilotage]:not([data-kind=voice])');
      if (++typed.letters === 20) clearInterval(typing);
    }, 100);
  });
  await expect.poll(() => page.evaluate(() => window.letters)).toBe(20);
  await acme.expectStatus('data', 'blocked');
  await expect(acme.guide).toHaveAttribute('data-kind', 'modal');
  expect(await page.evaluate(() => window.disturbed)).toBe(false);
});

test.describe('with a network that fails', () => {
  test.use({ expected: [/ERR_INTERNET_DISCONNECTED|ERR_FAILED/] });

  test('offline events wait and arrive exactly once, also over a reload', async ({ acme, context, page }) => {
    await acme.signUp();
    await acme.expectShown();
    await context.setOffline(true);
    await acme.cta.click();
    await acme.fillProject();
    await acme.importSample('header');
    const waiting = await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('pilotage.acme.')).length);
    expect(waiting).toBeGreaterThanOrEqual(4);
    await context.setOffline(false);
    await acme.expectEvents('form_submit', 2);
    await acme.expectEvents('guide_clicked', 1);

    // The network fails for the API alone, then the page is left: the next one brings the rest.
    await page.route('**/api/v1/events/**', (route) => route.abort());
    await acme.importSample('dates');
    await page.unroute('**/api/v1/events/**');
    await page.reload();
    await acme.expectEvents('form_submit', 3);
    await expect.poll(() => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('pilotage.acme.')).length)).toBe(0);
    const ids = (await acme.timeline()).flatMap(({ eventId }) => eventId ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    expect((await acme.events('form_submit')).map(({ payload }) => payload.form)).toEqual(['new_project', 'import', 'import']);
  });
});

test.describe('with a target that is nowhere on the page', () => {
  test.use({ changes: ['certain', 'eager', 'astray'] });

  test('nothing is drawn and the failure is told', async ({ acme }) => {
    await acme.signUp();
    const [failed] = await acme.expectEvents('guide_failed', 1);
    expect(failed.payload).toMatchObject({ reason: 'anchor_missing' });
    await expect(acme.guide).toHaveCount(0);
    expect(await acme.events('guide_shown')).toEqual([]);
  });
});

test.describe('with a guide that may come back at once', () => {
  test.use({ changes: ['certain', 'eager', 'often'] });

  test('a guide goes when its anchor goes, or when the page does', async ({ acme, page }) => {
    await acme.signUp();
    await acme.expectShown();
    await page.evaluate(() => document.querySelector('[data-guide="new-project"]').remove());
    await expect(acme.guide).toHaveCount(0);
    await acme.open('Support');
    await acme.open('Projects');
    await acme.expectShown();
    await acme.open('Support');
    await expect(acme.guide).toHaveCount(0);
    expect(await acme.events('guide_dismissed')).toEqual([]);
  });
});

test('on a small screen guides and product keep out of each other’s way', async ({ acme, page }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await acme.signUp();
  await acme.expectShown();
  const box = await acme.guide.locator('.card').boundingBox();
  expect(box.x).toBeGreaterThanOrEqual(0);
  expect(box.x + box.width).toBeLessThanOrEqual(390);
  await page.getByRole('button', { name: 'Behind the curtain' }).click({ trial: true });
  await acme.shot('24-phone');
});
