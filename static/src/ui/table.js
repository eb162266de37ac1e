// A plain table of rows, with figures set right and an honest empty state.

import {el} from '../lib/dom.js';
import {t} from '../lib/i18n.js';

/**
 * @template R
 * @param {{columns: {title: string, value: (row: R) => import('../lib/dom.js').Child, isNumber?: boolean}[], rows: R[],
 *   caption?: string, onOpen?: (row: R) => void}} options
 */
export function createTable({columns, rows, caption, onOpen}) {
  if (!rows.length) return el('p', {class: 'muted'}, t('table.empty'));
  const cell = (/** @type {R} */ row, /** @type {typeof columns[number]} */ column, /** @type {number} */ place) => {
    const value = column.value(row);
    const content = onOpen && place === 0 ? el('button', {type: 'button', class: 'link', onclick: () => onOpen(row)}, value) : value;
    return el('td', {class: column.isNumber ? 'num' : null}, content);
  };
  return el('table', {class: 'table'},
    caption && el('caption', null, caption),
    el('thead', null, el('tr', null, ...columns.map(column => el('th', {scope: 'col', class: column.isNumber ? 'num' : null}, column.title)))),
    el('tbody', null, ...rows.map(row => el('tr', null, ...columns.map((column, place) => cell(row, column, place))))));
}
