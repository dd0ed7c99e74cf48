// The life of a guide on the page: find its anchor, draw it, watch the anchor, follow its call. Loaded when the first
// guide comes. It reports to nobody but its caller.

import { draw, focus, openVoice } from './draw.js';
import { find, look, onMutation, ownPath } from './place.js';

const RING = '3px solid var(--pilotage-accent, light-dark(#3d4fe0, #8b98ff))';
const VOICE_MS = 100; // a live region must stand a moment before its words come

/** Leads the eye to what a call is about. An animation draws the ring: it touches nothing of the page's. @param {Element | undefined} anchor */
const lead = (anchor) => {
  const there = focus(anchor) ?? anchor;
  there?.scrollIntoView({ block: 'nearest' });
  there?.animate({ outline: [RING, RING], outlineOffset: ['2px', '2px'] }, 2000);
};

/** @type {import('./types.js').Present} */
export const present = async (guide, handle, options, ending) => {
  const { signal } = ending;
  const { copy, target, component } = guide;
  const path = ownPath(guide.action?.path, location.origin);
  if (guide.action?.path && !path) return 'bad_action';

  const selector = target?.anchor;
  const anchor = selector ? await find(selector, signal) : undefined;
  if (typeof anchor === 'string' || signal.aborted) return signal.aborted ? undefined : /** @type {any} */ (anchor);

  /** @param {MouseEvent} event */
  const clicked = (event) => {
    const beside = event.ctrlKey || event.metaKey || event.shiftKey; // the browser opens the link in a tab of its own
    if (!beside) event.preventDefault();
    handle.clicked();
    if (!path || beside) return;
    if (path === location.pathname) lead(anchor);
    if (options.navigate) options.navigate(path, guide);
    else if (path !== location.pathname) location.assign(path);
  };
  draw(guide, anchor, options.closeLabel ?? 'Close', { ...handle, clicked }, signal);

  if (component !== 'modal') {
    const say = openVoice(signal);
    setTimeout(() => say(`${copy.title ?? ''} ${copy.body ?? ''}`, copy.locale), VOICE_MS);
  }
  if (selector && anchor) {
    onMutation(() => { if (look(selector) !== anchor) ending.abort(); }, signal);
    anchor.addEventListener('click', () => ending.abort(), { signal });
  }
  return undefined;
};
