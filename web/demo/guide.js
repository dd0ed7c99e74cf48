// The sample product's whole integration with Pilotage: start, stop, track. This is all that a page of your own needs.

import { start } from '/sdk.js';
import { state } from './state.js';
import { t } from './text.js';

/** @type {{ product?: string, appVersion: string, key?: string }} */
export const config = await fetch('/demo/config.json').then((response) => response.json());

/** @type {import('../sdk/types.js').Client | undefined} */
let client;

/**
 * From here on the signed-in person is guided.
 * @param {(path: string) => void} go the product's own router
 * @param {import('../sdk/types.js').Options['onDecision']} onDecision
 */
export function startGuiding(go, onDecision) {
  stopGuiding();
  if (!state.current) return;
  client = start({
    ...config,
    userId: state.current,
    appVersion: state.appVersion,
    locale: state.locale,
    closeLabel: t('close'),
    navigate(path, guide) {
      if (path !== location.pathname) return go(path);
      // The guide points at a button of this very page: do what the button does.
      const target = guide.target?.anchor ? document.querySelector(guide.target.anchor) : null;
      if (target instanceof HTMLButtonElement && target.type === 'button') target.click();
    },
    onDecision,
    onError: (fault) => console.warn('pilotage', fault),
  });
}

export function stopGuiding() {
  client?.stop();
  client = undefined;
}

/** @param {string} type @param {object} [payload] @param {object} [attributes] */
export const track = (type, payload, attributes) => client?.track(type, payload, attributes);
