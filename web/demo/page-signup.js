// Where somebody becomes a user, or carries on as one.

import { field, h, icon } from './dom.js';
import { track } from './guide.js';
import { signUp, state } from './state.js';
import { t } from './text.js';

/** @param {() => void} enter as somebody new @param {() => void} comeBack as somebody from before */
export function signUpPage(enter, comeBack) {
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const { name } = signUp(field(/** @type {HTMLFormElement} */ (event.target), 'name'));
    history.replaceState(null, '', '/projects');
    enter();
    track('signed_up', {}, { tier: 'trial', firstName: name });
  };
  const known = state.people.slice(-4).reverse().map(({ id, name }) => h('button', {
    type: 'button', class: 'quiet', onclick: () => { state.current = id; comeBack(); },
  }, icon('user'), name));
  return h('main', { class: 'signup' },
    h('div', { class: 'brand' }, h('img', { src: '/demo/icon.svg', alt: '', width: 36, height: 36 }), h('span', {}, 'Acme')),
    h('p', { class: 'tagline' }, t('tagline')),
    h('form', { class: 'card', onsubmit: submit },
      h('h1', {}, t('join')), h('p', { class: 'lead' }, t('joinLead')),
      h('label', {}, t('firstName'), h('input', { name: 'name', required: true, maxlength: 80, autocomplete: 'given-name', autofocus: true })),
      h('button', { class: 'primary wide' }, t('start'))),
    known.length > 0 && h('div', { class: 'known' }, h('p', {}, t('returning')), ...known));
}
