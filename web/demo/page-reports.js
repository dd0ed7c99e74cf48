// The report that the whole product is about.

import { bars, shares, sumBy } from './chart.js';
import { h, icon } from './dom.js';
import { track } from './guide.js';
import { allRows } from './state.js';
import { day, money, t } from './text.js';

/** @param {string} label @param {string} value @param {string} [note] */
const figure = (label, value, note = '') => h('div', { class: 'card figure' }, h('p', { class: 'label' }, label), h('p', { class: 'value' }, value), h('p', { class: 'lead' }, note));

export function reports() {
  const rows = allRows();
  const head = h('div', { class: 'head' }, h('div', {}, h('h1', { tabindex: -1 }, t('reports')), h('p', { class: 'lead' }, t('reportsLead'))));
  if (!rows.length) {
    return h('div', {}, head, h('div', { class: 'card blank' },
      h('span', { class: 'glyph big' }, icon('reports')), h('h2', {}, t('noReport')), h('p', { class: 'lead' }, t('noReportLead')), h('a', { class: 'button primary', href: '/import' }, t('importData'))));
  }
  track('report_viewed', { rows: rows.length });
  const weeks = sumBy(rows, ({ date }) => date).sort().slice(-12);
  const channels = sumBy(rows, ({ channel }) => channel).sort(([, a], [, b]) => b - a).slice(0, 4);
  const [before, last] = [weeks.at(-2)?.[1] ?? 0, weeks.at(-1)?.[1] ?? 0];
  const change = before ? Math.round((100 * (last - before)) / before) : 0;
  const total = rows.reduce((sum, { revenue }) => sum + revenue, 0);
  return h('div', { class: 'report' }, head,
    h('div', { class: 'figures' },
      figure(t('total'), money(total), t('rows', { n: rows.length })),
      figure(t('lastWeek'), money(last), t('versus', { n: new Intl.NumberFormat(undefined, { signDisplay: 'exceptZero' }).format(change).replace('-', '−') })),
      figure(t('best'), channels[0][0], money(channels[0][1]))),
    h('div', { class: 'charts' },
      h('section', { class: 'card' }, h('h2', {}, t('byWeek')), bars(weeks, t('byWeek'), money, day)),
      h('section', { class: 'card' }, h('h2', {}, t('byChannel')), shares(channels, t('byChannel'), money))));
}
