// The sample product: its frame, its routes, its account menu. Each page is a function that gives an element.

import { openCurtain } from './curtain.js';
import { h, icon } from './dom.js';
import { config, startGuiding, stopGuiding, track } from './guide.js';
import { billing, billingRetry } from './page-billing.js';
import { importPage } from './page-import.js';
import { projects } from './page-projects.js';
import { reports } from './page-reports.js';
import { signUpPage } from './page-signup.js';
import { missing, support } from './page-support.js';
import { hasForgotten } from './server.js';
import { forget, person, save, state } from './state.js';
import { t } from './text.js';

const VERSIONS = ['2.1.0', '4.0.0'];
/** @typedef {{ title: Parameters<typeof t>[0], page: (shell: Shell) => HTMLElement, nav?: Parameters<typeof icon>[0], before?: number }} Route */
/** What a page may do to the frame around it. @typedef {{ go: (path: string) => void, redraw: () => void, toast: (text: string) => void }} Shell */

/** @type {Record<string, Route>} */
const ROUTES = {
  '/projects': { title: 'projects', page: projects, nav: 'projects' },
  '/import': { title: 'import', page: importPage, nav: 'import' },
  '/reports': { title: 'reports', page: reports, nav: 'reports' },
  '/settings/billing': { title: 'billing', page: billing, nav: 'billing' },
  '/settings/billing/retry': { title: 'retry', page: billingRetry, before: 4 },
  '/support': { title: 'support', page: support, nav: 'support' },
};

const major = () => Number(state.appVersion.split('.')[0]);

/** @returns {Route} */
function route() {
  const found = ROUTES[location.pathname];
  return found && major() < (found.before ?? Infinity) ? found : { title: 'missing', page: missing };
}

/** @type {Shell} */
const shell = {
  go(path) {
    history.pushState(null, '', path);
    draw();
    document.querySelector('h1')?.focus();
  },
  redraw: draw,
  toast(text) {
    const note = h('div', { class: 'toast', role: 'status' }, icon('check'), text);
    document.body.append(note);
    note.addEventListener('animationend', () => note.remove());
  },
};

function sidebar() {
  const links = Object.entries(ROUTES).filter(([, { nav }]) => nav).map(([path, { title, nav }]) => h('a', {
    href: path, 'aria-current': location.pathname === path ? 'page' : null,
  }, icon(/** @type {any} */ (nav)), h('span', {}, t(title))));
  return h('nav', { class: 'sidebar', 'aria-label': t('main') },
    h('a', { class: 'brand', href: '/projects' }, h('img', { src: '/demo/icon.svg', alt: '', width: 28, height: 28 }), h('span', {}, 'Acme')), ...links);
}

/** @param {string} label @param {string[]} values @param {string} chosen @param {(value: string) => void} choose */
function select(label, values, chosen, choose) {
  const options = values.map((value) => h('option', { value, selected: value === chosen }, value));
  return h('label', { class: 'row' }, label, h('select', { onchange: (/** @type {any} */ event) => choose(event.target.value) }, ...options));
}

function accountMenu() {
  const who = person();
  /** @param {() => void} change */
  const restart = (change) => {
    change();
    save();
    document.documentElement.lang = state.locale;
    guide();
    draw();
  };
  return h('details', { class: 'account' },
    h('summary', { 'aria-label': t('account') }, h('span', { class: 'avatar', 'aria-hidden': 'true' }, [...who?.name ?? '?'][0]), h('span', { class: 'who' }, who?.name), icon('chevron')),
    h('div', { class: 'menu' },
      h('p', { class: 'row' }, t('userId'), h('code', { class: 'user-id' }, who?.id)),
      select(t('appVersion'), VERSIONS, state.appVersion, (value) => restart(() => { state.appVersion = value; })),
      select(t('language'), ['en', 'de'], state.locale, (value) => restart(() => { state.locale = /** @type {any} */ (value); })),
      h('div', { class: 'actions' },
        h('button', { type: 'button', class: 'quiet', onclick: leave }, t('newUser')),
        h('button', { type: 'button', class: 'quiet', onclick: leave }, t('logOut')))));
}

function leave() {
  stopGuiding();
  state.current = null;
  save();
  draw();
}

/** Starts over where the server no longer knows who is signed in here: page and guides would tell two stories. */
async function startOver() {
  const who = person();
  if (!who || !await hasForgotten(who) || person() !== who) return false;
  stopGuiding();
  forget();
  draw();
  shell.toast(t('forgotten', { name: who.name }));
  return true;
}

const guide = () => startGuiding(shell.go, (decision) => {
  curtain.heard(decision);
  startOver();
});

/** Somebody who signed up here before is back. */
async function comeBack() {
  if (!await startOver()) enter();
}

function enter() {
  save();
  guide();
  if (!ROUTES[location.pathname]) history.replaceState(null, '', '/projects');
  draw();
}

const curtain = openCurtain(leave, startOver);

function draw() {
  const signedIn = person();
  const { title, page } = route();
  document.title = signedIn ? `${t(title)} · Acme` : 'Acme';
  document.querySelector('.frame')?.remove();
  const frame = signedIn
    ? h('div', { class: 'frame' },
      h('a', { class: 'skip', href: '#content' }, t('skip')), sidebar(),
      h('div', { class: 'stage' },
        h('header', { class: 'topbar' }, h('span', { class: 'workspace' }, t('trial')), accountMenu()),
        h('main', { id: 'content' }, page(shell))))
    : h('div', { class: 'frame alone' }, signUpPage(enter, comeBack));
  document.body.append(frame);
  curtain.follow(signedIn?.id);
}

document.addEventListener('click', (event) => {
  const link = event.target instanceof Element && event.target.closest('a[href^="/"]');
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  shell.go(link.getAttribute('href') ?? '/projects');
});
document.addEventListener('click', (event) => {
  const button = event.target instanceof Element && event.target.closest('[data-track]');
  if (button instanceof HTMLElement) track('button_click', { button: button.dataset.track });
});
addEventListener('popstate', draw);

if (!VERSIONS.includes(state.appVersion)) state.appVersion = VERSIONS.includes(config.appVersion) ? config.appVersion : VERSIONS[0];
document.documentElement.lang = state.locale;
if (person()) comeBack();
else draw();
