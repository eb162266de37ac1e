// A field that proposes what the words name: arrows walk, Enter takes, Esc closes.

import {el, fill, uid} from '../lib/dom.js';
import {errorText} from './errors.js';

const WAIT_MS = 160;

/**
 * @template T
 * @param {HTMLElement} host  holds the field and its list
 * @param {HTMLInputElement} input
 * @param {{find: (words: string) => Promise<T[]>, show: (item: T) => import('../lib/dom.js').Child[], onPick: (item: T) => void,
 *   none: string, label: string, isEager?: boolean}} options  isEager: Enter takes the first without an arrow
 */
export function createCombo(host, input, {find, show, onPick, none, label, isEager = false}) {
  const listId = uid('picked');
  const list = el('div', {class: 'combo-list', id: listId, role: 'listbox', 'aria-label': label, hidden: true});
  for (const [name, value] of Object.entries({role: 'combobox', 'aria-expanded': 'false', 'aria-controls': listId, 'aria-autocomplete': 'list', autocomplete: 'off', spellcheck: 'false'})) input.setAttribute(name, value);
  host.append(list);
  /** @type {T[]} */
  let items = [];
  let active = -1;
  let turn = 0;
  let answered = '';  // the words that the list answers
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function close() {
    clearTimeout(timer);
    turn += 1;
    list.hidden = true;
    active = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  function mark() {
    [...list.children].forEach((node, place) => node.setAttribute('aria-selected', String(place === active)));
    const node = list.children[active];
    if (node) {
      input.setAttribute('aria-activedescendant', node.id);
      node.scrollIntoView({block: 'nearest'});
    } else input.removeAttribute('aria-activedescendant');
  }

  /** @param {T} item */
  function take(item) {
    close();
    onPick(item);
  }

  async function look() {
    const words = input.value.trim();
    const mine = (turn += 1);
    if (!words) { close(); return; }
    try {
      const found = await find(words);
      if (mine !== turn || document.activeElement !== input) return;
      items = found;
      answered = words;
      active = isEager && items.length ? 0 : -1;
      fill(list, items.length ? items.map(item => el('div', {class: 'combo-item', id: uid('pick'), role: 'option', 'aria-selected': 'false',
        onpointerdown: (/** @type {Event} */ event) => { event.preventDefault(); take(item); }}, show(item))) : el('p', {class: 'combo-none'}, none));
    } catch (error) {
      if (mine !== turn) return;
      items = [];
      fill(list, el('p', {class: 'combo-none'}, errorText(error)));
    }
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    mark();
  }

  input.addEventListener('input', () => {
    turn += 1;  // what comes now answers words that stand here no more
    clearTimeout(timer);
    timer = setTimeout(look, WAIT_MS);
  });
  input.addEventListener('blur', close);
  input.addEventListener('keydown', async event => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (list.hidden) { await look(); return; }
      if (items.length) active = (active + (event.key === 'ArrowDown' ? 1 : -1) + items.length) % items.length;
      mark();
    } else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
      // Enter never sends the form from here: it takes what is marked.
      event.preventDefault();
      if (list.hidden || answered !== input.value.trim()) await look();
      const item = items[active];
      if (!list.hidden && item) take(item);
    } else if (event.key === 'Escape' && !list.hidden) {
      event.stopPropagation();
      close();
    }
  });
  return {close};
}
