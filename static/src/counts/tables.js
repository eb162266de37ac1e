// A table of counts is checked as soon as it is chosen; it stays in the browser until it is
// sent for good. What was refused is told by row, column and reason.

import {el, fill, find} from '../lib/dom.js';
import {number, t} from '../lib/i18n.js';
import {errorText} from '../ui/errors.js';
import {icon} from '../ui/icon.js';

/**
 * @typedef {{outcome: 'checked' | 'loaded' | 'refused', found?: {rows: number, areas: number, few: number, kinds: string[], periods: string[]},
 *   refusals?: {row: number, column: string, reason: string}[], total_refusals?: number}} Outcome
 */

/**
 * @param {HTMLFormElement} form
 * @param {string} csrf
 */
export function bindTables(form, csrf) {
  const file = /** @type {HTMLInputElement} */ (find('#table-file'));
  const load = /** @type {HTMLButtonElement} */ (find('#load'));
  const check = /** @type {HTMLButtonElement} */ (find('#check'));
  const outcome = find('#outcome');
  check.hidden = true;
  load.disabled = true;

  file.addEventListener('change', () => send('check'));
  form.addEventListener('submit', event => {
    event.preventDefault();
    send('load');
  });

  /** @param {'check' | 'load'} act */
  async function send(act) {
    const chosen = file.files?.[0];
    if (!chosen) return;
    load.disabled = true;
    const body = new FormData();
    body.append('act', act);
    body.append('table', chosen, 'table');
    fill(outcome, el('p', {class: 'muted'}, t('counts.checking')));
    try {
      const response = await fetch(form.action, {method: 'POST', body, headers: {'X-CSRF-Token': csrf, Accept: 'application/json'}});
      const answer = await response.json();
      if (!answer.outcome) throw new Error(answer.detail);
      show(answer);
      load.disabled = answer.outcome !== 'checked';
      if (answer.outcome === 'loaded') file.value = '';
    } catch (error) {
      fill(outcome, el('p', {class: 'field-error'}, error instanceof Error && error.message ? error.message : errorText(error)));
    }
  }

  /** @param {Outcome} answer */
  function show({outcome: how, found, refusals = [], total_refusals: total = 0}) {
    if (how === 'refused') {
      fill(outcome, el('div', {class: 'outcome is-refused', role: 'alert'},
        el('b', null, icon('alert-circle'), t('counts.refusedTable', {n: number(total)})),
        el('ol', null, ...refusals.map(one => el('li', null,
          one.row > 0 && el('span', {class: 'badge'}, t('counts.place', {row: one.row, column: one.column})), one.reason))),
        el('p', {class: 'small'}, t('counts.nothingKept'))));
      return;
    }
    fill(outcome, el('div', {class: 'outcome is-good'},
      el('b', null, icon('circle-check'), t(how === 'checked' ? 'counts.checkedTable' : 'counts.loadedTable')),
      found && el('p', null, t('counts.summary', {rows: number(found.rows), areas: number(found.areas), few: number(found.few)})),
      found && el('p', {class: 'muted'}, `${found.kinds.join(t('counts.comma'))} · ${found.periods.join(t('counts.comma'))}`)));
  }
}
