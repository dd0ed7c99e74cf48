// The side panel "behind the curtain": what Pilotage knows of the user and why it shows what it shows. It only reads,
// through the same API that an operator has, and asks for no decision of its own: an offer would be a contact. It reads
// once the first decision is there: before that, the server may not know of the user at all.

import { h, icon } from './dom.js';
import { read } from './server.js';
import { save, state } from './state.js';

const POLL_MS = 1000;

/** @typedef {{ id: string, name?: string, status: 'reached' | 'open' | 'blocked' | 'locked', reachedAt?: string }} Milestone */
/** @typedef {{ sentence: string, at?: string | null }} Near */
/** @typedef {{ id: string, gate?: string | null, near?: Near | null, arms?: { variant: string, propensity?: number | null }[] }} GuideTrace */
/** @typedef {import('../sdk/types.js').Decision & { propensity?: number, policy?: string, at?: string, trace?: { group: string, guides: GuideTrace[], stages?: { gate: string, left: number }[] } }} Explained */
/** @typedef {{ userId: string, holdout: boolean, activatedAt?: string | null, milestones: Milestone[], decisions?: Explained[], attributes: Record<string, unknown> }} Known */
/** @typedef {{ kind: string, at: string, eventType?: string, payload?: Record<string, unknown>, outcome?: string, reason?: string, guide?: { id: string } }} Item */

const STATUS = /** @type {const} */ ({ reached: 'check', open: 'open', blocked: 'alert', locked: 'lock' });

/** @type {Record<string, string>} */
const REASONS = {
  holdout: 'This user is in the holdout: Pilotage shows nothing, to measure what guiding is worth.',
  no_candidate: 'No guide fits this moment.',
  contact: 'Something would fit, but the user has had enough for now.',
  policy: 'The policy chose to show nothing: that is always one of its options.',
  degraded: 'Pilotage was not sure of its facts and kept silent.',
};

/** @type {Record<string, string>} */
const GATES = {
  state: 'the milestone’s status', when: 'its own condition', never: 'its own “never”', lifecycle: 'not live', surface: 'not on this page', copy: 'its wording',
  text: 'the text rules', limits: 'its own limits', contact: 'the contact rules', holdout: 'holdout',
};

const clock = (/** @type {string} */ at) => new Date(at).toLocaleTimeString('en-GB');

/** How far off an instant is. @param {string} at */
function until(at) {
  const seconds = Math.max(1, Math.round((Date.parse(at) - Date.now()) / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** What would let a guide through; names stand between backticks. @param {Near} near */
const nearest = ({ sentence, at }) => (at ? sentence.replace(/\.$/, `: in ${until(at)}.`) : sentence).split('`').map((part, n) => (n % 2 ? h('code', {}, part) : part));

/** The newest items of a timeline that is told from its beginning. @param {string} userId @returns {Promise<Item[]>} */
async function recent(userId) {
  const timeline = await read(`/api/v1/users/${userId}/timeline?limit=10000`);
  return (timeline?.items ?? []).filter((/** @type {Item} */ { eventType }) => eventType).slice(-9).reverse();
}

/** @param {string} userId */
async function look(userId) {
  /** @type {Known | null | undefined} */
  const known = await read(`/api/v1/users/${userId}`);
  const [last] = [...known?.decisions ?? []].sort((a, b) => (b.at ?? '').localeCompare(a.at ?? ''));
  /** @type {Explained | undefined} */
  const decision = last && await read(`/api/v1/decisions/${last.decisionId}`);
  return { known, decision, items: await recent(userId) };
}

/** @param {string} title @param {...import('./dom.js').Child} children */
const section = (title, ...children) => h('section', {}, h('h3', {}, title), ...children);

/** @param {Known} known */
const journey = ({ milestones }) => section('Journey', h('ol', { class: 'journey' }, ...milestones.map(({ id, name, status }) => h('li', { class: status, 'data-milestone': id },
  h('span', { class: 'mark' }, icon(STATUS[status])), h('span', { class: 'name' }, name ?? id), h('span', { class: 'status' }, status)))));

/** @param {Explained} decision */
function verdict({ outcome, reason, guide, propensity, policy, at }) {
  const shown = outcome === 'show' && guide;
  return section('Last decision', h('div', { class: `verdict ${outcome}`, 'data-outcome': outcome },
    h('p', { class: 'what' }, h('strong', {}, shown ? guide.id : 'nothing'), shown && h('span', {}, `${guide.component} · ${guide.variant}`), at && h('time', {}, clock(at))),
    h('p', {}, shown ? `Serves “${guide.milestone}”, leads to ${guide.action?.path ?? 'nowhere'}.` : REASONS[reason ?? ''] ?? reason),
    h('p', { class: 'meta' }, `policy ${policy ?? '–'}`, propensity != null && ` · propensity ${propensity.toFixed(2)}`)));
}

/** @param {Explained} decision */
const gates = ({ trace, guide: chosen }) => section('Every guide, and what stopped it', h('ul', { class: 'gates' }, ...(trace?.guides ?? []).map(({ id, gate, near }) => h('li', { class: gate ? 'stopped' : 'passed' },
  h('p', { class: 'what' }, h('strong', {}, id), h('span', { class: 'gate', title: gate ? GATES[gate] : '' }, gate ?? (id === chosen?.id ? 'shown' : 'eligible'))),
  gate && h('p', {}, ...(near ? nearest(near) : [GATES[gate]]))))));

/** @param {Item} item */
function event({ at, eventType, payload }) {
  const facts = Object.entries(payload ?? {}).filter(([name]) => name !== 'decisionId').map(([name, value]) => `${name}: ${value}`);
  return h('li', { class: eventType?.startsWith('guide_') ? 'own' : '' }, h('time', {}, clock(at)), h('strong', {}, eventType), h('span', {}, facts.join(' · ')));
}

/** What a visitor who is left out must know, or they wait for guides that never come. @param {() => void} restart */
const leftOut = (restart) => h('section', { class: 'left-out', role: 'note' },
  h('h3', {}, 'You are in the holdout'),
  h('p', {}, 'One user in ten is never shown a guide, so that Pilotage can measure what its guides are worth. Chance put you there.'),
  h('button', { type: 'button', onclick: restart }, icon('user'), 'Start as a new user'));

/** @param {Awaited<ReturnType<typeof look>>} seen @param {() => void} restart */
function content({ known, decision, items }, restart) {
  if (!known) return [waiting()];
  const group = known.holdout ? 'holdout' : decision?.trace?.group ?? 'guided';
  const who = Object.entries(known.attributes).map(([name, value]) => h('span', { class: 'fact' }, `${name} `, h('b', {}, String(value))));
  return [
    h('p', { class: 'facts' }, h('span', { class: `badge ${group}` }, group), known.activatedAt && h('span', { class: 'badge activated' }, 'activated'), ...who),
    known.holdout && leftOut(restart), journey(known), decision && verdict(decision), decision?.trace?.guides.length && gates(decision),
    section('What just happened', h('ul', { class: 'events' }, ...items.map(event))),
  ].filter((part) => part instanceof Node);
}

/** Whether there is no room for the panel beside the product, so that it would cover it. */
const overlays = () => innerWidth <= 1180;

const waiting = () => h('p', { class: 'waiting' }, 'Nothing is known of this user yet.');

/**
 * The panel stands for as long as the page; `follow` says whom it watches, `heard` that Pilotage decided about them.
 * @param {() => void} restart begins as a new user
 * @param {() => void} onUnknown hears that the server does not know the user
 */
export function openCurtain(restart, onUnknown) {
  /** @type {string | undefined} */
  let userId;
  let known = false;
  let shown = '';
  const place = h('div', { class: 'place' });
  const label = h('span');
  const toggle = h('button', { type: 'button', class: 'pull', 'aria-controls': 'curtain', onclick: () => turn(true) }, icon('eye'), label);
  const panel = h('aside', { id: 'curtain', class: 'curtain', 'aria-label': 'Behind the curtain' },
    h('header', {}, h('div', {}, h('h2', {}, 'Behind the curtain'), h('p', {}, 'What Pilotage knows, and why it shows what it shows.')),
      h('button', { type: 'button', class: 'shut', 'aria-label': 'Close the curtain', onclick: () => turn(false) }, icon('close'))), place);
  document.body.append(panel, toggle);

  async function refresh() {
    if (!userId || !known || !state.curtain || document.visibilityState !== 'visible') return;
    const asked = userId;
    const seen = await look(asked).catch(() => undefined);
    const now = JSON.stringify(seen);
    if (!seen || asked !== userId) return;
    if (seen.known === null) onUnknown();
    if (now === shown) return;
    shown = now;
    place.replaceChildren(...content(seen, restart));
  }

  /** @param {boolean} open */
  function turn(open) {
    state.curtain = open;
    save();
    arrange();
    refresh();
  }

  function arrange() {
    panel.hidden = !state.curtain || !userId;
    panel.role = overlays() ? 'dialog' : null; // guides make way for it
    toggle.hidden = state.curtain || !userId;
    document.body.classList.toggle('with-curtain', !panel.hidden);
  }

  /** The closed panel says what matters most, too. @param {boolean} holdout */
  function tell(holdout) {
    toggle.ariaLabel = label.textContent = holdout ? 'You are in the holdout' : 'Behind the curtain';
    toggle.classList.toggle('held', holdout);
  }

  setInterval(refresh, POLL_MS);
  return {
    /** @param {string | undefined} id */
    follow(id) {
      if (id !== userId) {
        if (overlays()) state.curtain = false;
        known = false;
        shown = '';
        tell(false);
        place.replaceChildren(waiting());
      }
      userId = id;
      arrange();
      refresh();
    },
    /** @param {import('../sdk/types.js').Decision} decision */
    heard({ reason }) {
      known = true;
      tell(reason === 'holdout');
      refresh();
    },
  };
}
