// The list of projects and the form for a new one.

import { field, h, icon } from './dom.js';
import { track } from './guide.js';
import { person, save } from './state.js';
import { t } from './text.js';

/** @param {import('./app.js').Shell} shell */
function newProject(shell) {
  const fault = h('p', { class: 'fault', role: 'alert' });
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const name = field(/** @type {HTMLFormElement} */ (event.target), 'name');
    const mine = person()?.projects ?? [];
    const ok = !mine.some((project) => project.name === name);
    track('form_submit', { form: 'new_project', ok });
    if (!ok) return void (fault.textContent = t('nameTaken'));
    mine.push({ name, rows: [] });
    save();
    dialog.close();
    shell.go('/import');
    shell.toast(t('created', { name }));
  };
  const dialog = h('dialog', { class: 'card', 'aria-labelledby': 'new-project', onclose: () => dialog.remove() },
    h('form', { onsubmit: submit },
      h('h2', { id: 'new-project' }, t('newProject')),
      h('label', {}, t('projectName'), h('input', { name: 'name', required: true, maxlength: 60, autofocus: true, autocomplete: 'off' })), fault,
      h('div', { class: 'actions' },
        h('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, t('cancel')),
        h('button', { class: 'primary' }, t('create')))));
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {import('./state.js').Project} project */
const tile = ({ name, rows }) => h('li', { class: 'card tile' },
  h('span', { class: 'glyph', 'aria-hidden': 'true' }, [...name][0]?.toUpperCase()), h('h2', {}, name),
  rows.length ? h('p', { class: 'lead' }, t('rows', { n: rows.length })) : h('p', { class: 'lead' }, t('noData'), ' · ', h('a', { href: '/import' }, t('importData'))));

/** @param {import('./app.js').Shell} shell */
export function projects(shell) {
  const mine = person()?.projects ?? [];
  const button = h('button', { type: 'button', class: 'primary', 'data-guide': 'new-project', 'data-track': 'new_project', onclick: () => newProject(shell) }, icon('plus'), t('newProject'));
  return h('div', {},
    h('div', { class: 'head' },
      h('div', {}, h('h1', { tabindex: -1 }, t('projects')), h('p', { class: 'lead' }, t('projectsLead'))),
      h('div', { class: 'actions' }, h('a', { class: 'button quiet', href: '/reports', 'data-guide': 'reports', 'data-track': 'reports' }, icon('reports'), t('openReports')), button)),
    mine.length ? h('ul', { class: 'tiles' }, ...mine.map(tile))
      : h('div', { class: 'card blank' }, h('span', { class: 'glyph big' }, icon('projects')), h('h2', {}, t('noProjects')), h('p', { class: 'lead' }, t('noProjectsLead'))));
}
