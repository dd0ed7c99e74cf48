// What is on screen is true, and what is reported has happened: once, and only when it was seen.
import { expect, test } from './fixtures.js';

const DECISIONS = '**/api/v1/decisions';

/** Holds back one answer to the page until it is told to go on, changed or as it is. */
async function hold(page, pattern) {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  let answered;
  const answer = new Promise((resolve) => { answered = resolve; });
  await page.route(pattern, async (route) => {
    const response = await route.fetch();
    answered(await response.json());
    await route.fulfill({ response, json: await held });
  }, { times: 1 });
  return { answer, release };
}

/** The page seems to be in the background, or not. */
const setVisibility = (page, state) => page.evaluate((visibility) => {
  Object.defineProperty(document, 'visibilityState', { value: visibility, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}, state);

test('a guide goes when its time is over', async ({ acme, page }) => {
  await page.clock.install();
  await acme.signUp();
  await acme.expectShown();
  await page.clock.fastForward('09:00');
  await expect(acme.guide).toHaveCount(1);
  await page.clock.fastForward('01:01');
  await expect(acme.guide).toHaveCount(0);
});

test('a guide whose time is over when it comes is not drawn', async ({ acme, page }) => {
  const { answer, release } = await hold(page, DECISIONS);
  await acme.signUp();
  const decision = await answer;
  expect(decision.outcome).toBe('show');
  release({ ...decision, expiresAt: new Date(0).toISOString() });
  // A click in the page asks again; a guide on its way to the screen would keep the page from asking.
  const next = page.waitForResponse(async (response) => /decisions$/.test(response.url()) && (await response.json()).decisionId !== decision.decisionId);
  await page.evaluate(() => {
    const button = document.body.appendChild(document.createElement('button'));
    button.dataset.track = 'again';
    button.click();
  });
  await next;
  const offers = (await acme.events('guide_shown')).map(({ payload }) => payload.decisionId);
  expect(offers).not.toContain(decision.decisionId);
});

test('an answer that comes after the user has moved on is not drawn', async ({ acme, page }) => {
  const { answer, release } = await hold(page, DECISIONS);
  await acme.signUp();
  const decision = await answer;
  expect(decision.outcome).toBe('show');
  await acme.open('Support');
  const next = page.waitForResponse(async (response) => /decisions$/.test(response.url()) && (await response.json()).decisionId !== decision.decisionId);
  release(decision);
  await next;
  await acme.open('Projects');
  // Events arrive in order: what came before this page view is there when it is. A guide would have failed or been seen.
  await acme.expectEvents('page_view', 3);
  expect(await acme.events('guide_failed')).toEqual([]);
  expect((await acme.events('guide_shown')).map(({ payload }) => payload.decisionId)).not.toContain(decision.decisionId);
});

test('a guide is seen once, however often the user looks', async ({ acme, page }) => {
  await page.clock.install();
  await acme.signUp();
  await acme.expectShown();
  for (let looks = 0; looks < 3; looks++) {
    await setVisibility(page, 'hidden');
    await setVisibility(page, 'visible');
    await page.clock.fastForward(1000);
  }
  await expect(acme.guide).toHaveCount(1);
  // Events arrive in order: what came before this one is there when it is.
  await acme.open('Support');
  await expect.poll(async () => (await acme.events('page_view')).map(({ payload }) => payload.path)).toContain('/support');
  expect(await acme.events('guide_shown')).toHaveLength(1);
});

test('a guide under something else is not seen until it is uncovered', async ({ acme, page }) => {
  // A dialog of the page opens the moment a guide is drawn.
  await page.addInitScript(() => {
    const observer = new MutationObserver(() => {
      if (!document.querySelector('[data-pilotage]:not([data-kind=voice])')) return;
      observer.disconnect();
      const dialog = document.body.appendChild(document.createElement('dialog'));
      dialog.id = 'cover';
      dialog.showModal();
    });
    observer.observe(document, { childList: true, subtree: true });
  });
  await page.clock.install();
  await acme.signUp();
  await expect(page.locator('#cover')).toBeVisible();
  await expect(acme.guide).toHaveCount(1);
  for (let looks = 0; looks < 3; looks++) await page.clock.fastForward(1000);
  const uncovered = await page.evaluate(() => {
    const now = Date.now();
    document.querySelector('#cover').close();
    return now;
  });
  const [shown] = await acme.expectEvents('guide_shown', 1);
  expect(Date.parse(shown.at)).toBeGreaterThanOrEqual(uncovered);
});

test('a guide whose anchor is scrolled out of its box is not seen until it is back', async ({ acme, page }) => {
  // The head of the page becomes a low box, scrolled past the button that the guide points at.
  await page.addInitScript(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('.head { height: 60px; overflow: auto; flex-wrap: nowrap; align-items: flex-start } .head::after { content: ""; height: 900px; width: 1px; flex: none }');
    document.adoptedStyleSheets = [sheet];
    new MutationObserver(() => {
      const head = document.querySelector('.head');
      if (head && !head.dataset.moved && (head.dataset.moved = 'yes')) head.scrollTop = 400;
    }).observe(document, { childList: true, subtree: true });
  });
  await page.clock.install();
  await acme.signUp();
  await expect(acme.guide).toHaveCount(1);
  for (let looks = 0; looks < 3; looks++) await page.clock.fastForward(1000);
  const back = await page.evaluate(() => {
    const now = Date.now();
    document.querySelector('[data-guide="new-project"]').scrollIntoView();
    return now;
  });
  const [shown] = await acme.expectEvents('guide_shown', 1);
  expect(Date.parse(shown.at)).toBeGreaterThanOrEqual(back);
});

test.describe('with answers that get lost', () => {
  test.use({ expected: [/ERR_FAILED/] });

  test('what was taken in is not counted again after a reload', async ({ acme, page }) => {
    await acme.signUp();
    await acme.expectShown();
    const lost = page.waitForEvent('requestfailed', (request) => request.postData()?.includes('new_project'));
    await page.route('**/api/v1/events/batch', async (route) => {
      await route.fetch();
      await route.abort();
    });
    await acme.createProject();
    await lost;
    await acme.expectEvents('form_submit', 1);
    await page.unroute('**/api/v1/events/batch');

    const again = page.waitForResponse(async (response) => /batch$/.test(response.url()) && response.request().postData().includes('new_project'));
    await page.reload();
    const { results } = await (await again).json();
    expect(results.map(({ status }) => status)).toContain('duplicate');
    await expect(acme.title).toHaveText('Bring in your data');
    expect(await acme.events('form_submit')).toHaveLength(1);
    const ids = (await acme.timeline()).flatMap(({ eventId }) => eventId ?? []);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
