// All categories behind a search that understands pinyin and initials.

import {getJson, urlOf} from '../lib/api.js';
import {el, fill} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {openDialog} from '../ui/dialog.js';
import {emptyNote, errorNote, skeleton} from '../ui/errors.js';

const PAUSE_MS = 200;

/** @param {(category: {code: string, name: string}) => void} onPick */
export function pickCategory(onPick) {
  const search = el('input', {class: 'input', type: 'search', 'aria-label': t('category.search'), placeholder: t('category.hint'), autocomplete: 'off'});
  const list = el('div', {class: 'picker-list'});
  const dialog = openDialog({title: t('category.title'), body: el('div', {class: 'picker'}, search, list)});
  let turn = 0;
  let timer = 0;

  async function look() {
    const mine = (turn += 1);
    fill(list, skeleton(4));
    try {
      const found = await getJson(urlOf('/api/categories', {kind: 'matter', q: search.value.trim()}));
      if (mine !== turn) return;
      if (!found.length) fill(list, emptyNote('search', t('category.none')));
      else fill(list, found.map((/** @type {{code: string, name: string}} */ category) =>
        el('button', {type: 'button', onclick: () => { dialog.close(); onPick(category); }}, category.name, el('span', {class: 'hint'}, category.code))));
    } catch (error) {
      if (mine === turn) fill(list, errorNote(error, look));
    }
  }

  search.addEventListener('input', event => {
    // An input method that is still composing has no word yet.
    if (event instanceof InputEvent && event.isComposing) return;
    clearTimeout(timer);
    timer = window.setTimeout(look, PAUSE_MS);
  });
  search.addEventListener('compositionend', () => void look());
  search.focus();
  void look();
}
