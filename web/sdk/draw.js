// Draws one guide in a shadow root and tells what the user did with it. Copy goes in as text and as nothing else.

import { show } from './place.js';
import { css } from './style.js';

const SEEN_MS = 300;
const SEEN_SHARE = 0.5;

const sheet = new CSSStyleSheet();
sheet.replaceSync(css);

/** @param {string} tag @param {Record<string, string>} attributes @param {string} [text] */
function element(tag, attributes, text = '') {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  made.textContent = text;
  return made;
}

/** @param {string} kind @param {Node} content */
function shell(kind, content) {
  const host = element('div', { 'data-pilotage': '', 'data-kind': kind });
  const root = host.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [sheet];
  root.append(content);
  // Before the page's own content: a guide without an anchor comes first in the tab order.
  document.body.prepend(host);
  return host;
}

/** @type {import('./types.js').OpenVoice} */
export const openVoice = (signal) => {
  const region = element('div', { 'aria-live': 'polite' });
  const host = shell('voice', region);
  signal.addEventListener('abort', () => host.remove());
  return (text, lang = '') => {
    region.lang = lang;
    region.textContent = text;
  };
};

/** @type {import('./types.js').Focus} */
export const focus = (around) => {
  const takes = 'a[href], button, input, select, textarea, [tabindex]';
  const target = around?.matches(takes) ? around : around?.querySelector(takes);
  /** @type {any} */ (target)?.focus({ focusVisible: true });
  return target;
};

/** Whether the host is what the user sees in the middle of the element's part in view: not what is over it. @param {Element} host @param {Element} seen */
function onTop(host, seen) {
  const { left, right, top, bottom } = seen.getBoundingClientRect();
  const middle = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ end) => (Math.max(from, 0) + Math.min(to, end)) / 2;
  return document.elementFromPoint(middle(left, right, innerWidth), middle(top, bottom, innerHeight)) === host;
}

/** Calls back when half of the element has been in view, in a visible page and with nothing over it, for 300 ms. @param {Element} host @param {Element} seen @param {() => void} callback @param {AbortSignal} signal */
function whenSeen(host, seen, callback, signal) {
  let timer = 0;
  let inView = false;
  const judge = () => {
    clearTimeout(timer);
    if (inView && document.visibilityState === 'visible' && !signal.aborted) timer = setTimeout(() => (onTop(host, seen) ? callback : judge)(), SEEN_MS);
  };
  const observer = new IntersectionObserver((entries) => {
    inView = entries.some(({ intersectionRatio }) => intersectionRatio >= SEEN_SHARE);
    judge();
  }, { threshold: SEEN_SHARE });
  observer.observe(seen);
  document.addEventListener('visibilitychange', judge, { signal });
  signal.addEventListener('abort', () => {
    observer.disconnect();
    judge();
  });
}

/** A hotspot is a dot until the user opens it. @param {HTMLElement} host @param {HTMLElement} card @param {string} title */
function dotFor(host, card, title) {
  const dot = element('button', { class: 'dot', 'aria-expanded': 'false', 'aria-label': title });
  card.hidden = true;
  card.before(dot);
  dot.addEventListener('click', () => {
    host.dataset.kind = 'open';
    card.hidden = false;
    focus(card);
    dot.remove();
  });
  return dot;
}

/** @type {import('./types.js').Draw} */
export const draw = ({ component, copy, action }, anchor, closeLabel, on, signal) => {
  const modal = component === 'modal';
  const card = element(modal ? 'dialog' : 'section', { class: 'card', role: 'dialog', 'aria-labelledby': 'title', 'aria-describedby': 'body' });
  const close = element('button', { class: 'close', 'aria-label': closeLabel }, '×');
  card.append(element('h2', { id: 'title' }, copy.title), element('p', { id: 'body' }, copy.body));
  if (copy.cta) {
    const cta = element('a', { class: 'cta', href: action?.path ?? '#', ...(modal && { autofocus: '' }) }, copy.cta);
    cta.addEventListener('click', on.clicked);
    card.append(cta);
  }
  card.append(close);
  close.addEventListener('click', () => on.dismissed('close'));

  const host = shell(component, card);
  host.lang = copy.locale ?? '';
  /** @type {any} */
  let before;
  host.addEventListener('focusin', ({ relatedTarget }) => { before ??= relatedTarget; });

  if (modal) {
    card.addEventListener('cancel', (event) => {
      event.preventDefault();
      on.dismissed('escape');
    });
    /** @type {HTMLDialogElement} */ (card).showModal();
  } else {
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !event.defaultPrevented && !host.style.visibility) on.dismissed('escape');
    }, { signal });
    show(host, anchor, signal);
  }
  whenSeen(host, component === 'hotspot' ? dotFor(host, card, copy.title ?? '') : card, on.shown, signal);

  signal.addEventListener('abort', () => {
    const held = document.activeElement === host;
    if (modal) /** @type {HTMLDialogElement} */ (card).close(); // and the focus is back where it was
    host.remove();
    if (held && !modal) focus(before?.isConnected ? before : anchor);
  });
};
