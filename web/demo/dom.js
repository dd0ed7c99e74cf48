// Builds elements. Text stays text: nothing here parses HTML.

const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {Node | string | number | false | null | undefined} Child */

/**
 * @param {Element} element
 * @param {Record<string, any>} props attributes; `on…` are listeners, `class` and `data-…` as in HTML
 * @param {Child[]} children
 */
function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child || child === 0) element.append(child instanceof Node ? child : String(child));
  return element;
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export const h = (tag, props = {}, ...children) => /** @type {any} */ (fill(document.createElement(tag), props, children));

/** @param {string} tag @param {Record<string, any>} [props] @param {...Child} children @returns {Element} */
export const s = (tag, props = {}, ...children) => fill(document.createElementNS(SVG, tag), props, children);

/** Line icons on a 24 grid. */
const ICONS = {
  projects: 'M4 6h7v6H4zM13 6h7v12h-7zM4 14h7v4H4z',
  import: 'M12 4v10m-4-4 4 4 4-4M5 19h14',
  reports: 'M5 19V11m5 8V5m5 14v-6m4 6H3',
  billing: 'M3 7h18v11H3zM3 11h18M6 15h4',
  support: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18m-2.6-11.2a2.7 2.7 0 1 1 3.7 2.5c-.7.3-1.1.8-1.1 1.5m0 2.7v.1',
  plus: 'M12 5v14M5 12h14',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  lock: 'M6 11h12v8H6zm2.5 0V8a3.5 3.5 0 0 1 7 0v3',
  alert: 'M12 8v5m0 3.5v.1M12 3 2.5 20h19z',
  open: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16',
  chevron: 'm8 10 4 4 4-4',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12m9.5 2.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6',
  close: 'm6 6 12 12M18 6 6 18',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8m-7.5 8a7.5 7.5 0 0 1 15 0',
};

/** @param {keyof typeof ICONS} name */
export const icon = (name) => s('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, s('path', { d: ICONS[name] }));

/** The value of a form's field. @param {HTMLFormElement} form @param {string} name */
export const field = (form, name) => String(new FormData(form).get(name) ?? '').trim();
