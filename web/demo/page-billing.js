// Takes a card, which its bank may decline, and offers another way.

import { field, h, icon } from './dom.js';
import { track } from './guide.js';
import { person, save } from './state.js';
import { t } from './text.js';

const WORKS = '4242 4242 4242 4242';
const DECLINED = '4000 0000 0000 0002';

/** @param {string} how */
function connect(how) {
  const who = person();
  if (who) who.billing = how;
  save();
  track('form_submit', { form: 'billing', ok: true });
}

const declinedNote = () => h('p', { class: 'fault boxed' }, icon('alert'), h('span', {}, h('strong', {}, t('cardDeclined')), ' ', t('cardDeclinedLead')));

const cardFields = () => h('div', { class: 'stack' },
  h('label', {}, t('cardNumber'), h('input', { name: 'number', required: true, inputmode: 'numeric', autocomplete: 'off', placeholder: '1234 1234 1234 1234', pattern: '[0-9 ]{16,19}' })),
  h('div', { class: 'pair' },
    h('label', {}, t('expiry'), h('input', { name: 'expiry', value: '12/30', autocomplete: 'off' })),
    h('label', {}, t('cvc'), h('input', { name: 'cvc', value: '123', inputmode: 'numeric', autocomplete: 'off' }))),
  h('div', { class: 'chips' }, h('span', {}, t('testCards')), ...[[WORKS, t('works')], [DECLINED, t('declined')]].map(([number, fate]) => h('button', {
    type: 'button', class: 'chip', onclick: (/** @type {any} */ event) => { event.target.closest('form').elements.number.value = number; },
  }, h('code', {}, number), ' ', fate))));

/** Charges the form's card; false where the bank says no. @param {HTMLFormElement} form */
function charge(form) {
  const number = field(form, 'number').replaceAll(' ', '');
  const ok = !number.startsWith('4000');
  if (ok) connect(t('card', { end: number.slice(-4) }));
  else track('form_submit', { form: 'billing', ok: false, error: 'card_declined' });
  return ok;
}

/** @param {Parameters<typeof t>[0]} title @param {Parameters<typeof t>[0]} lead */
const head = (title, lead) => h('div', { class: 'head' }, h('div', {}, h('h1', { tabindex: -1 }, t(title)), h('p', { class: 'lead' }, t(lead))));

const plan = () => h('aside', { class: 'card plan' }, h('p', { class: 'label' }, t('plan')), h('p', { class: 'value' }, t('price')), h('p', { class: 'lead' }, t('planLead')));

/** @param {string} how */
const connected = (how) => h('div', { class: 'card blank good' }, h('span', { class: 'glyph big' }, icon('check')), h('h2', {}, t('connected')), h('p', { class: 'lead' }, t('connectedLead', { how })));

/** @param {import('./app.js').Shell} shell */
export function billing(shell) {
  const how = person()?.billing;
  const fault = h('div', { role: 'alert' });
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    if (charge(/** @type {HTMLFormElement} */ (event.target))) shell.redraw();
    else fault.replaceChildren(declinedNote());
  };
  return h('div', {}, head('billing', 'billingLead'), h('div', { class: 'aside' },
    how ? connected(how) : h('form', { class: 'card stack', 'data-guide': 'billing', onsubmit: submit },
      cardFields(), fault, h('div', { class: 'actions' }, h('button', { class: 'primary' }, t('saveCard')))),
    plan()));
}

/** @param {import('./app.js').Shell} shell */
export function billingRetry(shell) {
  const how = person()?.billing;
  if (how) return h('div', { class: 'narrow' }, head('retry', 'retryLead'), connected(how));
  const fault = h('div', { role: 'alert' });
  const card = cardFields();
  const bank = h('label', {}, t('iban'), h('input', { name: 'iban', required: true, autocomplete: 'off', placeholder: 'DE00 0000 0000 0000 0000 00', pattern: ' *[A-Za-z]{2}[0-9]{2}( ?[A-Za-z0-9]){11,30} *' }));
  const place = h('div', {}, bank);
  /** @param {Parameters<typeof t>[0]} label @param {string} value @param {HTMLElement} fields @param {boolean} checked */
  const way = (label, value, fields, checked) => h('label', { class: 'way' },
    h('input', { type: 'radio', name: 'way', value, checked, onchange: () => place.replaceChildren(fields) }), t(label));
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const paid = field(form, 'way') === 'bank' ? (connect(t('bank')), true) : charge(form);
    if (paid) shell.redraw();
    else fault.replaceChildren(declinedNote());
  };
  return h('div', { class: 'narrow' }, head('retry', 'retryLead'), h('form', { class: 'card stack', onsubmit: submit },
    h('div', { class: 'ways', role: 'radiogroup', 'aria-label': t('retry') }, way('bankTransfer', 'bank', bank, true), way('anotherCard', 'card', card, false)),
    place, fault, h('div', { class: 'actions' }, h('button', { class: 'primary' }, t('confirm')))));
}
