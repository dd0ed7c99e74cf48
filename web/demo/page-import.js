// Brings data into a project, or says why it can't.

import { badDates, badHeader, HEADER, readCsv, sample } from './csv.js';
import { field, h, icon } from './dom.js';
import { track } from './guide.js';
import { person, save } from './state.js';
import { t } from './text.js';

/** @param {Exclude<ReturnType<typeof readCsv>, { rows: any }>} fault */
function explain(fault) {
  if (fault.fault === 'empty') return t('empty');
  if (fault.fault === 'header') return t('faultHeader', { want: HEADER, found: fault.found });
  return t(fault.fault === 'date' ? 'faultDate' : 'faultNumber', fault);
}

/** @param {import('./app.js').Shell} shell */
export function importPage(shell) {
  const mine = person()?.projects ?? [];
  const fault = h('div', { role: 'alert' });
  const text = h('textarea', { name: 'csv', rows: 10, spellcheck: 'false', placeholder: `${HEADER}\n2026-07-06,Web,1250`, 'aria-label': t('csv') });
  const file = h('input', { type: 'file', accept: '.csv,text/csv', onchange: async () => { text.value = await file.files?.[0]?.text() ?? ''; } });

  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const read = readCsv(text.value);
    if (!('rows' in read)) {
      fault.replaceChildren(h('p', { class: 'fault boxed' }, icon('alert'), h('span', {}, h('strong', {}, t('importFailed')), ' ', explain(read))));
      track('form_submit', { form: 'import', ok: false, error: 'import_failed' });
      return;
    }
    const project = mine.find(({ name }) => name === field(/** @type {HTMLFormElement} */ (event.target), 'project'));
    if (!project) return;
    project.rows = read.rows;
    save();
    track('form_submit', { form: 'import', ok: true });
    track('data_imported', { rows: read.rows.length });
    shell.go('/projects');
    shell.toast(t('imported', { n: read.rows.length }));
  };

  /** @param {string} name @param {Parameters<typeof t>[0]} label @param {() => string} make */
  const chip = (name, label, make) => h('button', { type: 'button', class: 'chip', 'data-sample': name, onclick: () => { text.value = make(); } }, t(label));
  const form = h('form', { class: 'card stack', novalidate: true, onsubmit: submit },
    h('label', {}, t('intoProject'), h('select', { name: 'project' }, ...mine.map(({ name }) => h('option', {}, name)).reverse())),
    h('div', { class: 'chips' }, h('span', {}, t('trySample')), chip('good', 'goodSample', sample), chip('header', 'wrongHeader', badHeader), chip('dates', 'wrongDates', badDates)),
    text, fault,
    h('div', { class: 'actions spread' },
      h('label', { class: 'button quiet file' }, t('orFile'), file),
      h('button', { class: 'primary', 'data-guide': 'import' }, icon('import'), t('import'))));
  return h('div', { class: 'narrow' },
    h('div', { class: 'head' }, h('div', {}, h('h1', { tabindex: -1 }, t('import')), h('p', { class: 'lead' }, t('importLead')))),
    mine.length ? form : h('div', { class: 'card blank' }, h('span', { class: 'glyph big' }, icon('import')), h('p', { class: 'lead' }, t('needProject')), h('a', { class: 'button primary', href: '/projects' }, t('home'))));
}
