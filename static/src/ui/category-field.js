// A field of a category finds it by code, name, pinyin or initials. Without script it stays
// what the page wrote: a list to choose from, or a field that proposes codes.

import {getJson, urlOf} from '../lib/api.js';
import {el, uid} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {createCombo} from './combo.js';

/** @typedef {{code: string, name: string, kind: string}} Category */

const MOST_SHOWN = 12;

/** Every list and field that is marked `data-category`, a list with the kind of its codes. */
export function bindCategoryFields() {
  for (const node of document.querySelectorAll('[data-category]')) {
    if (node instanceof HTMLSelectElement) overList(node);
    else if (node instanceof HTMLInputElement) inField(node);
  }
}

/** The list keeps the value; one writes into a field over it. @param {HTMLSelectElement} select */
function overList(select) {
  const chosen = () => (select.value ? select.selectedOptions[0].textContent?.trim() ?? '' : '');
  const offered = new Set([...select.options].map(option => option.value));
  const input = el('input', {class: 'input', id: uid('category'), value: chosen(), required: select.required});
  select.before(input);
  for (const label of select.labels) label.htmlFor = input.id;
  for (const name of ['aria-describedby', 'aria-invalid']) if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name) ?? '');
  select.required = false;
  select.hidden = true;
  const label = select.closest('.field')?.querySelector('.field-label')?.textContent ?? '';
  createCombo(wrapped(input), input, {...asked(label), find: async words => (await find(words, select.dataset.category)).filter(one => offered.has(one.code)).slice(0, MOST_SHOWN), onPick: take});
  input.addEventListener('change', () => { if (!input.value.trim()) select.value = ''; });
  input.addEventListener('blur', () => { input.value = chosen(); });

  /** @param {Category} one */
  function take(one) {
    select.value = one.code;
    input.value = chosen();
  }
}

/** The field keeps "code name"; its kind stands in the list beside it. @param {HTMLInputElement} input */
function inField(input) {
  // What only the page knows are the classes: a rule may name a whole one, a case cannot.
  const offered = [...input.list?.options ?? []].map(({value, dataset}) => ({code: value.split(' ')[0], name: value.replace(/^\S+\s*/, ''), kind: dataset.kind ?? ''}));
  input.removeAttribute('list');
  const named = input.closest('label')?.querySelector('.field-label');
  if (named) input.setAttribute('aria-labelledby', named.id ||= uid('label'));
  createCombo(wrapped(input), input, {...asked(named?.textContent ?? ''), find: async words => {
    const found = await find(words);
    const known = new Set(found.map(one => one.kind + one.code));
    const classes = offered.filter(one => !known.has(one.kind + one.code) && (one.code.startsWith(words) || one.name.toLowerCase().includes(words.toLowerCase())));
    return [...classes, ...found].slice(0, MOST_SHOWN);
  }, onPick: one => {
    input.value = `${one.code} ${one.name}`;
    const kind = input.form?.elements.namedItem('kind');
    if (kind instanceof HTMLSelectElement) kind.value = one.kind;
  }});
}

/** @param {string} words @param {string} [kind] @returns {Promise<Category[]>} */
const find = (words, kind = '') => getJson(urlOf('/api/categories', {q: words, kind}));

/** @param {string} label */
const asked = label => ({
  show: (/** @type {Category} */ one) => [el('b', null, one.name), el('span', {class: 'muted small'}, one.code)],
  none: t('category.none'), label, isEager: true,
});

/** @param {HTMLElement} input */
function wrapped(input) {
  const host = el('span', {class: 'combo'});
  input.replaceWith(host);
  host.append(input);
  return host;
}
