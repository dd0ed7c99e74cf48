// The checklists, and the page for an address that leads nowhere.

import { h, icon } from './dom.js';
import { t } from './text.js';

/** @param {Parameters<typeof t>[0]} title @param {Parameters<typeof t>[0][]} points @param {HTMLElement} way */
const checklist = (title, points, way) => h('section', { class: 'card stack' }, h('h2', {}, t(title)),
  h('ul', { class: 'checks' }, ...points.map((point) => h('li', {}, h('label', {}, h('input', { type: 'checkbox' }), t(point))))),
  h('div', { class: 'actions' }, way));

export const support = () => h('div', {},
  h('div', { class: 'head' }, h('div', {}, h('h1', { tabindex: -1 }, t('support')), h('p', { class: 'lead' }, t('supportLead')))),
  h('div', { class: 'halves' },
    checklist('importList', ['import1', 'import2', 'import3', 'import4'], h('a', { class: 'button quiet', href: '/import' }, icon('import'), t('backToImport'))),
    checklist('payList', ['pay1', 'pay2', 'pay3'], h('a', { class: 'button quiet', href: '/settings/billing' }, icon('billing'), t('billing')))));

export const missing = () => h('div', { class: 'card blank' },
  h('span', { class: 'glyph big' }, icon('alert')), h('h1', { tabindex: -1 }, t('missing')), h('p', { class: 'lead' }, t('missingLead')), h('a', { class: 'button primary', href: '/projects' }, t('home')));
