// What has not reached the server yet: a line on every page, and the list with reasons.

import {agoText} from '../lib/dates.js';
import {el, fill} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {confirmDialog} from '../ui/dialog.js';
import {errorText} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {leavePhone} from './offline.js';

const EVERY_MS = 60_000;

/**
 * Show what waits and send it whenever that may work.
 *
 * @param {import('./offline.js').Phone} phone
 */
export function watchWaiting(phone) {
  /** @type {unknown} */
  let trouble = null;
  let sending = 0;
  /** @type {Set<string>} */
  const received = new Set();

  async function show() {
    const items = await phone.outbox.list();
    drawStrip(items);
    drawList(items);
    if ('setAppBadge' in navigator) void navigator.setAppBadge(items.length).catch(() => {});
  }

  /** @param {any[]} items */
  function drawStrip(items) {
    const strip = document.getElementById('waiting');
    if (!strip) return;
    const [refused, left] = [items.filter(one => one.problem).length, items.filter(one => !one.problem).length];
    strip.hidden = !items.length && !received.size;
    if (strip.hidden) return;
    if (!items.length) {
      strip.className = 'strip strip-ok';
      fill(strip, icon('circle-check'), el('span', null, t('waiting.received', {n: received.size})));
      return;
    }
    strip.className = refused ? 'strip strip-late' : 'strip';
    const why = sending ? t('waiting.sending', {n: left}) : !navigator.onLine ? t('waiting.offline') : trouble ? errorText(trouble) : '';
    fill(strip, icon('cloud-off'),
      el('span', null, left > 0 && el('strong', null, t('waiting.left', {n: left})), ' ', refused > 0 && el('strong', null, t('waiting.refused', {n: refused})), ' ', why),
      isSignIn(trouble) ? el('a', {class: 'btn', href: `/sign-in?next=${encodeURIComponent(location.pathname)}`}, icon('login-2'), t('action.signIn'))
        : left > 0 && el('button', {type: 'button', class: 'btn', disabled: sending > 0, onclick: () => void send()}, icon('refresh'), t('waiting.send')));
  }

  /** @param {any[]} items */
  function drawList(items) {
    const host = document.getElementById('outbox');
    if (!host) return;
    host.hidden = !items.length;
    fill(host, el('h2', null, t('waiting.title', {n: items.length})), el('ul', {class: 'precedents'}, items.map(one =>
      el('li', {data: {waiting: one.id}}, icon(one.problem ? 'alert-triangle' : 'clock'),
        el('span', {class: 'waiting-what'}, el('strong', null, one.name), ' ', el('span', {class: 'muted'}, agoText(one.at, Date.now())), el('br'),
          one.problem ? (one.problem.detail || t('waiting.refused_one')) : t('waiting.kept'),
          one.problem && el('span', {class: 'place-actions'},
            el('a', {class: 'btn', href: `${one.href}?again=${one.id}`}, icon('edit'), t('waiting.open')),
            el('button', {type: 'button', class: 'btn', onclick: () => void drop(one)}, icon('trash'), t('waiting.drop'))))))));
  }

  /** @param {any} one */
  async function drop(one) {
    if (await confirmDialog({title: t('waiting.drop_title'), text: t('waiting.drop_text', {name: one.name}), action: t('waiting.drop')})) await phone.outbox.remove(one.id);
  }

  async function send() {
    sending += 1;
    await show();
    const result = await phone.outbox.flush().finally(() => { sending -= 1; });
    trouble = result.error;
    for (const one of result.sent) received.add(one.id);
    await show();
    return result;
  }

  async function retry() {
    if (!document.hidden && navigator.onLine && (await phone.outbox.list()).some(one => !one.problem)) await send();
  }

  window.addEventListener('online', () => void send());
  window.addEventListener('offline', () => void show());
  setInterval(() => void retry(), EVERY_MS);
  bindSignOut(phone);
  return {show, send};
}

/** @param {any} error */
const isSignIn = error => error?.status === 401;

/** Who leaves is told what has not been sent. @param {import('./offline.js').Phone} phone */
function bindSignOut(phone) {
  const form = document.querySelector('form[action="/sign-out"]');
  if (!(form instanceof HTMLFormElement)) return;
  let isSure = false;
  form.addEventListener('submit', event => {
    if (isSure) return;
    event.preventDefault();
    void (async () => {
      const n = (await phone.outbox.list()).length;
      isSure = !n || await confirmDialog({title: t('waiting.leave_title', {n}), text: t('waiting.leave_text'), action: t('waiting.leave')});
      if (!isSure) return;
      await leavePhone(phone);
      form.requestSubmit();
    })();
  });
}
