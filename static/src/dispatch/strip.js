// The strip under the top bar: the sign-in is over, or the server cannot be reached. What
// was typed stays where it is.

import {el, fill} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {icon} from '../ui/icon.js';

/** @param {HTMLElement} host */
export function createStrip(host) {
  let isExpired = false;
  let isOffline = false;

  function draw() {
    host.hidden = !isExpired && !isOffline;
    host.className = `strip${isExpired ? ' is-expired' : ''}`;
    if (host.hidden) return;
    fill(host, icon(isExpired ? 'lock' : 'wifi-off'), el('span', null, t(isExpired ? 'dispatch.expired' : 'dispatch.offline')),
      isExpired && el('a', {class: 'btn btn-small btn-primary', href: `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`}, icon('login-2'), t('action.signIn')));
  }

  return {
    /** @param {{isAsked?: boolean}} [options]  isAsked: somebody waits for it, so the way on gets the focus; who types is left alone */
    expired({isAsked = false} = {}) {
      isExpired = true;
      draw();
      if (isAsked) host.querySelector('a')?.focus();
    },
    /** @param {boolean} next */
    setOffline(next) {
      if (isOffline === next) return;
      isOffline = next;
      draw();
    },
  };
}
