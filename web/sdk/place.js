// Where a guide points, where it stands, where it may lead. It never changes the page's elements.

const WAIT_MS = 3000;
const GAP = 8;
/** What a page opens over itself, where it is laid over the rest. The top layer would put a guide above it. */
const OPENED = 'dialog[open], details[open] > :not(summary), [role=dialog], [role=alertdialog], [role=menu], [role=listbox]';

const usable = (/** @type {Element} */ element) => element.getClientRects().length
  && (element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? true);

/** @type {import('./types.js').Look} */
export const look = (selector) => {
  /** @type {Element[]} */
  let found = [];
  try {
    found = [...document.querySelectorAll(selector)];
  } catch { /* not a selector: nothing can match */ }
  const [first, second] = found.filter(usable);
  return second ? 'anchor_ambiguous' : first ?? (found.length ? 'anchor_hidden' : 'anchor_missing');
};

/** @type {import('./types.js').OnMutation} */
export const onMutation = (callback, signal) => {
  let frame = 0;
  const observer = new MutationObserver(() => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (!signal.aborted) callback();
    });
  });
  observer.observe(document, { subtree: true, childList: true, attributes: true });
  signal.addEventListener('abort', () => observer.disconnect());
};

/** @type {import('./types.js').Find} */
export const find = (selector, signal) => new Promise((resolve) => {
  const ending = new AbortController();
  const end = () => {
    clearTimeout(timer);
    ending.abort();
    resolve(look(selector));
  };
  const check = () => { if (typeof look(selector) !== 'string') end(); };
  const timer = setTimeout(end, WAIT_MS);
  signal.addEventListener('abort', end);
  onMutation(check, ending.signal);
  check();
});

/** @type {import('./types.js').OwnPath} */
export const ownPath = (path, origin) => (path && /^\/(?!\/)/.test(path) && new URL(path, origin).origin === origin ? path : undefined);

/** @type {import('./types.js').Fit} */
export const fit = (anchor, box, view) => {
  const below = anchor.bottom + GAP + box.height <= view.height || anchor.top < box.height + GAP;
  const left = anchor.right >= view.width - anchor.left ? anchor.right - box.width : anchor.left;
  return {
    top: below ? anchor.bottom + GAP : anchor.top - GAP - box.height,
    left: Math.max(GAP, Math.min(left, view.width - box.width - GAP)),
  };
};

/** Whether something that the page has opened, a menu or a dialog, lies where the host does. @param {Element} host @param {Element} [anchor] */
const inTheWay = (host, anchor) => {
  const mine = host.getBoundingClientRect();
  return [...document.querySelectorAll(OPENED)].some((opened) => {
    const { left, right, top, bottom } = opened.getBoundingClientRect();
    return left < mine.right && right > mine.left && top < mine.bottom && bottom > mine.top
      && /absolute|fixed/.test(getComputedStyle(opened).position) && usable(opened) && !(anchor && opened.contains(anchor));
  });
};

/** @type {import('./types.js').Show} */
export const show = (host, anchor, signal) => {
  // A popover's source is its implicit CSS anchor, also across the shadow boundary, and Tab goes from it into the guide.
  host.popover = 'manual';
  host.showPopover(/** @type {any} */ ({ source: anchor }));
  const yieldToPage = () => {
    const visibility = inTheWay(host, anchor) ? 'hidden' : '';
    if (host.style.visibility !== visibility) host.style.visibility = visibility;
  };
  onMutation(yieldToPage, signal);
  yieldToPage();
  if (!anchor || CSS.supports('position-area', 'block-end')) return;

  const move = () => {
    const { top, left } = fit(anchor.getBoundingClientRect(), host.getBoundingClientRect(), { width: innerWidth, height: innerHeight });
    host.style.inset = `${top}px auto auto ${left}px`;
  };
  const observer = new ResizeObserver(move);
  observer.observe(host);
  observer.observe(anchor);
  for (const type of ['scroll', 'resize']) addEventListener(type, move, { capture: true, passive: true, signal });
  signal.addEventListener('abort', () => observer.disconnect());
};
