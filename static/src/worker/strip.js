// The strip under the head: what has not reached the server yet, and why.

import {el, fill, find} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {errorText} from '../ui/errors.js';
import {icon} from '../ui/icon.js';

/** @param {unknown} error @param {() => void} retry */
export function showUnsent(error, retry) {
  const strip = find('#unsent');
  strip.className = 'strip strip-late';
  fill(strip, icon('cloud-off'), el('span', null, el('strong', null, t('unsent.one')), ' ', errorText(error)),
    el('button', {type: 'button', class: 'btn', onclick: retry}, icon('refresh'), t('action.retry')));
  strip.hidden = false;
}

export function hideUnsent() {
  find('#unsent').hidden = true;
}

/** Without a network the strip says so before anything is tried. */
export function watchNetwork() {
  const strip = find('#unsent');
  const show = () => {
    if (navigator.onLine) { if (strip.dataset.why === 'offline') strip.hidden = true; return; }
    strip.dataset.why = 'offline';
    strip.className = 'strip';
    fill(strip, icon('wifi-off'), el('span', null, t('unsent.offline')));
    strip.hidden = false;
  };
  window.addEventListener('online', show);
  window.addEventListener('offline', show);
  show();
}
