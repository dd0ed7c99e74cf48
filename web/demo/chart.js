// Draws the report's two charts as inline SVG.

import { s } from './dom.js';

/** Sums rows by a key, in the order of first sight. @param {import('./state.js').Row[]} rows @param {(row: import('./state.js').Row) => string} key */
export function sumBy(rows, key) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const row of rows) sums.set(key(row), (sums.get(key(row)) ?? 0) + row.revenue);
  return [...sums];
}

/** The next round number at or above. @param {number} value */
function roundUp(value) {
  const step = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return Math.ceil(value / step) * step;
}

/**
 * Vertical bars with a light grid.
 * @param {[string, number][]} points label and value
 * @param {string} title what a screen reader says
 * @param {(value: number) => string} money
 * @param {(label: string) => string} short
 */
export function bars(points, title, money, short) {
  const [width, height, left, bottom] = [640, 240, 56, 26];
  const top = roundUp(Math.max(...points.map(([, value]) => value)));
  const step = (width - left) / points.length;
  const y = (/** @type {number} */ value) => 10 + (height - bottom - 10) * (1 - value / top);
  const grid = [0, 0.5, 1].map((share) => s('g', { class: 'grid' },
    s('line', { x1: left, x2: width, y1: y(top * share), y2: y(top * share) }),
    s('text', { x: left - 10, y: y(top * share) + 4, 'text-anchor': 'end' }, money(top * share))));
  const columns = points.map(([label, value], index) => s('g', { class: index === points.length - 1 ? 'bar last' : 'bar' },
    s('title', {}, `${short(label)}: ${money(value)}`),
    s('rect', { x: left + step * (index + 0.18), y: y(value), width: step * 0.64, height: y(0) - y(value), rx: 5 }),
    s('text', { x: left + step * (index + 0.5), y: height - 6, 'text-anchor': 'middle' }, short(label))));
  return s('svg', { class: 'chart', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': title }, ...grid, ...columns);
}

/**
 * One horizontal bar for each share.
 * @param {[string, number][]} points
 * @param {string} title
 * @param {(value: number) => string} money
 */
export function shares(points, title, money) {
  const most = Math.max(...points.map(([, value]) => value));
  const height = points.length * 54;
  return s('svg', { class: 'chart', viewBox: `0 0 240 ${height}`, role: 'img', 'aria-label': title }, ...points.map(([label, value], index) => s('g', { class: 'bar' },
    s('text', { class: 'name', x: 0, y: index * 54 + 16 }, label),
    s('text', { class: 'name', x: 240, y: index * 54 + 16, 'text-anchor': 'end' }, money(value)),
    s('rect', { class: 'rail', x: 0, y: index * 54 + 24, width: 240, height: 10, rx: 5 }),
    s('rect', { x: 0, y: index * 54 + 24, width: (240 * value) / most, height: 10, rx: 5 }))));
}
