// What every walk needs: a server of its own, and words for what a user does in the sample product.
import { expect, test as base } from '@playwright/test';
import { startServer } from './server.js';

export { expect };

const SHOTS = new URL('./shots/', import.meta.url).pathname;

/** The sample product as a user sees it. */
class Acme {
  constructor(page, server) {
    this.page = page;
    this.server = server;
    this.guide = page.locator('[data-pilotage]:not([data-kind=voice])');
    this.title = this.guide.getByRole('heading');
    this.cta = this.guide.locator('.cta');
  }

  async signUp(name = 'Ada') {
    await this.page.goto(this.server.url);
    await this.page.getByLabel('First name').fill(name);
    await this.page.getByRole('button', { name: 'Start free trial' }).click();
    await expect(this.page.getByRole('heading', { level: 1, name: 'Projects' })).toBeVisible();
  }

  /** The signed-in user's id. */
  userId() {
    return this.page.evaluate(() => JSON.parse(localStorage.getItem('acme') ?? '{}').current);
  }

  /** Moves inside the product, as its own links do. */
  async open(name) {
    await this.page.getByRole('navigation').getByRole('link', { name }).click();
    await expect(this.page.getByRole('heading', { level: 1, name })).toBeVisible();
  }

  async fillProject(name = 'Sales') {
    await this.page.getByLabel('Project name').fill(name);
    await this.page.getByRole('button', { name: 'Create project' }).click();
    await expect(this.page).toHaveURL(/\/import$/);
  }

  async createProject(name) {
    await this.page.locator('[data-guide="new-project"]').click();
    await this.fillProject(name);
  }

  /** @param {'good' | 'header' | 'dates'} sample */
  async importSample(sample) {
    await this.page.locator(`[data-sample=${sample}]`).click();
    await this.page.locator('[data-guide="import"]').click();
  }

  async payWith(number) {
    await this.page.getByLabel('Card number').fill(number);
    await this.page.getByRole('button', { name: 'Save card' }).click();
  }

  /** Everything the server knows of the user, oldest first. */
  async timeline() {
    return (await this.server.api(`/users/${await this.userId()}/timeline?limit=10000`)).items;
  }

  /** The user's events of a type; the guide's own stand in the timeline as outcomes. */
  async events(type) {
    return (await this.timeline()).filter(({ eventType }) => eventType === type);
  }

  /** Waits until the server has so many events of a type; gives them. */
  async expectEvents(type, count = 1) {
    await expect.poll(async () => (await this.events(type)).length, { message: `${type} events` }).toBe(count);
    return this.events(type);
  }

  async status(milestone) {
    const { milestones } = await this.server.api(`/users/${await this.userId()}`);
    return milestones.find(({ id }) => id === milestone).status;
  }

  async expectStatus(milestone, status) {
    await expect.poll(() => this.status(milestone)).toBe(status);
  }

  /** Waits until the guide on the page is the newest offer and the server knows that it was seen. */
  async expectShown() {
    await expect(this.guide).toHaveCount(1);
    await expect.poll(async () => {
      const items = await this.timeline();
      const offer = items.findLast(({ kind, outcome }) => kind === 'decision' && outcome === 'show');
      return items.some(({ eventType, payload }) => eventType === 'guide_shown' && payload.decisionId === offer?.decisionId);
    }, { message: 'the newest offer is seen' }).toBe(true);
  }

  /** Every guide that the server ever offered this user. */
  async offered() {
    return (await this.timeline()).filter(({ kind, outcome }) => kind === 'decision' && outcome === 'show').map(({ guide }) => guide.id ?? guide);
  }

  /** Loads the page anew and waits for the answer to its question: no guide. */
  async expectNoGuide(reason) {
    const here = this.page.url();
    await this.page.goto('about:blank'); // so that no answer to the old page is taken for one to the new
    const answered = this.page.waitForResponse(/\/api\/v1\/decisions$/);
    await this.page.goto(here);
    const decision = await (await answered).json();
    expect(decision.outcome).toBe('withhold');
    if (reason) expect(decision.reason).toBe(reason);
    await expect(this.guide).toHaveCount(0);
  }

  shot(name) {
    return this.page.screenshot({ path: `${SHOTS}${name}.png`, animations: 'disabled' });
  }
}

/** Leaving a page ends what it still waits for; that is no fault. */
const LEFT = 'net::ERR_ABORTED';

/** Everything that the browser finds wrong, as text: exceptions, the console's errors, violations of the policy, requests that fail. */
function watch(page) {
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error') faults.push(message.text()); });
  page.on('requestfailed', (request) => {
    const { errorText } = request.failure();
    if (errorText !== LEFT) faults.push(`${errorText} ${request.url()}`);
  });
  page.on('response', (response) => { if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`); });
  return faults;
}

export const test = base.extend({
  /** What a walk makes fail on purpose: patterns of faults that are no faults there. */
  expected: [[], { option: true }],
  /** Names of changes to examples/acme.yaml, see server.js. */
  changes: [['certain', 'eager'], { option: true }],
  server: async ({ changes }, use) => {
    const server = await startServer(changes);
    await use(server);
    await server.stop();
  },
  acme: async ({ expected, page, server }, use) => {
    const faults = watch(page);
    await use(new Acme(page, server));
    expect(faults.filter((fault) => !expected.some((pattern) => pattern.test(fault))), 'faults in the page').toEqual([]);
  },
});
