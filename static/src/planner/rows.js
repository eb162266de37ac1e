// The first rows of a selection, and how to open its file elsewhere.

import {el, fill} from '../lib/dom.js';
import {number, t} from '../lib/i18n.js';
import {emptyNote, errorNote, skeleton} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {snippetsOf} from './snippets.js';

/**
 * @typedef {{rows: number, size_bytes: number, duration_s: number, level: string, columns: {name: string, title: string}[], first: Record<string, any>[], shown: number, url: string, most_on_a_map: number}} Preview
 */

/**
 * @param {HTMLElement} host
 * @param {{onRetry: () => void}} options
 */
export function createRows(host, {onRetry}) {
  const body = el('div', {class: 'tab-body', id: 'tab-body', role: 'tabpanel', tabindex: '0'});
  const count = el('span', {class: 'muted small', role: 'status'});
  const tabs = /** @type {const} */ (['rows', 'code']).map(name => el('button', {type: 'button', role: 'tab', 'aria-controls': 'tab-body', data: {name}, onclick: () => choose(name)}, t(`tab.${name}`)));
  fill(host, el('div', {class: 'tabs', role: 'tablist'}, ...tabs, el('span', {class: 'spacer'}), count), body);
  let open = 'rows';
  /** @type {{found: Preview, choice: import('./choice.js').Choice, about: {title: string, metric: number}} | null} */
  let shown = null;

  host.addEventListener('keydown', event => {
    if (!['ArrowLeft', 'ArrowRight'].includes(event.key) || !tabs.includes(/** @type {any} */ (event.target))) return;
    choose(open === 'rows' ? 'code' : 'rows');
    tabs.find(tab => tab.dataset.name === open)?.focus();
  });

  /** @param {string} name */
  function choose(name) {
    open = name;
    draw();
  }

  function draw() {
    for (const tab of tabs) {
      tab.setAttribute('aria-selected', String(tab.dataset.name === open));
      tab.tabIndex = tab.dataset.name === open ? 0 : -1;
    }
    if (!shown) return;
    if (open === 'code') fill(body, codes(shown));
    else if (shown.found.rows && !shown.found.shown) fill(body, emptyNote('lock', t('rows.locked'), t('rows.lockedHint')));
    else fill(body, shown.found.rows ? table(shown.found) : emptyNote('map-search', t('rows.none'), t('rows.noneHint')));
  }

  return {
    wait() {
      if (!shown) fill(body, skeleton(6, 'line'));
      count.textContent = t('rows.loading');
      draw();
    },
    /** @param {unknown} error */
    fail(error) {
      shown = null;
      count.textContent = '';
      fill(body, errorNote(error, onRetry));
    },
    /** @param {Preview} found @param {import('./choice.js').Choice} choice @param {{title: string, metric: number}} about */
    show(found, choice, about) {
      shown = {found, choice, about};
      count.textContent = found.shown ? t('rows.shown', {n: number(found.shown), total: number(found.rows)}) : '';
      draw();
    },
  };
}

/** @param {Preview} found */
function table({columns, first}) {
  const names = ['id', ...columns.map(column => column.name).filter(name => name !== 'id')];
  const titles = new Map(columns.map(column => [column.name, column.title]));
  const isNumber = (/** @type {string} */ name) => first.some(row => typeof row[name] === 'number');
  return el('table', {class: 'table'},
    el('thead', null, el('tr', null, ...names.map(name => el('th', {scope: 'col', class: isNumber(name) ? 'num' : null}, titles.get(name) ?? name, el('span', {class: 'column-name'}, name))))),
    el('tbody', null, ...first.map(row => el('tr', null, ...names.map(name => el('td', {class: isNumber(name) ? 'num' : null, title: cell(row[name])}, cell(row[name])))))));
}

/** @param {unknown} value */
function cell(value) {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'boolean') return t(value ? 'rows.yes' : 'rows.no');
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Math.round(value * 100) / 100);
  return String(value);
}

/** @param {{found: Preview, choice: import('./choice.js').Choice, about: {title: string, metric: number}}} shown */
function codes({found, choice, about}) {
  return el('div', {class: 'snippets'}, ...snippetsOf(choice, {rows: found.rows, metric: about.metric, origin: location.origin}).map(({title, text}) => {
    const copy = el('button', {type: 'button', class: 'btn btn-small', onclick: async () => {
      await navigator.clipboard.writeText(text);
      fill(copy, icon('check'), t('code.copied'));
    }}, icon('copy'), t('code.copy'));
    return el('section', {class: 'snippet'}, el('header', null, el('h3', null, t(title)), copy), el('pre', {tabindex: '0'}, text));
  }));
}
