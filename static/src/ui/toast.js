// Short notices in a corner. Every one of them stays readable in a log.

import {el} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {icon} from './icon.js';

/** @typedef {'info' | 'ok' | 'late' | 'soon'} Tone */
/** @typedef {{text: string, tone: Tone, at: Date, act?: () => void}} Notice */
/** @typedef {{label: string, key?: string, run: () => void}} Way  a button beside the words */

const ICONS = {info: 'info-circle', ok: 'circle-check', late: 'alert-triangle', soon: 'clock-exclamation'};
const KEPT = 200;

/**
 * @param {HTMLElement} host
 * @param {{staysMs?: number, onLog?: (log: readonly Notice[]) => void}} [options]
 */
export function createToasts(host, {staysMs = 8000, onLog} = {}) {
  /** @type {Notice[]} */
  const log = [];
  const list = el('div', {class: 'toasts', role: 'status', 'aria-live': 'polite'});
  host.append(list);

  /**
   * @param {string} text
   * @param {{tone?: Tone, act?: () => void, way?: Way, ms?: number}} [options]  ms: how long it stays at least
   */
  function show(text, {tone = 'info', act, way, ms} = {}) {
    log.unshift({text, tone, at: new Date(), act});
    log.length = Math.min(log.length, KEPT);
    onLog?.(log);
    const close = () => node.remove();
    const node = el('div', {class: `toast toast-${tone}`}, icon(ICONS[tone]),
      act
        ? el('button', {type: 'button', class: 'toast-text link', onclick: () => { act(); close(); }}, text)
        : el('span', {class: 'toast-text'}, text),
      way && el('button', {type: 'button', class: 'btn btn-small', onclick: () => { way.run(); close(); }}, way.label, way.key && el('kbd', {'aria-hidden': 'true'}, way.key)),
      el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('action.close'), onclick: close}, icon('x')));
    list.append(node);
    while (list.childElementCount > 3) list.firstElementChild?.remove();
    // Who is reading or about to press keeps it.
    const leave = () => (node.matches(':hover, :focus-within') ? setTimeout(leave, 1000) : close());
    setTimeout(leave, ms ?? (tone === 'late' ? staysMs * 2 : staysMs));
    return close;
  }

  return {show, log: () => /** @type {readonly Notice[]} */ (log)};
}
