// What this person did today, the last case first; each opens.

import {getJson} from '../lib/api.js';
import {el, fill} from '../lib/dom.js';
import {dateText, t} from '../lib/i18n.js';
import {openDialog} from '../ui/dialog.js';
import {errorNote, skeleton} from '../ui/errors.js';

/** @param {(id: string) => void} onOpen */
export function openDone(onOpen) {
  const body = el('div', null, skeleton(4, 'line'));
  const dialog = openDialog({title: t('dispatch.done.title'), body});

  async function load() {
    try {
      const {items} = await getJson('/command/desk/done');
      fill(body, items.length ? el('ol', {class: 'done-list'}, ...items.map(row)) : el('p', {class: 'muted'}, t('dispatch.done.none')));
      body.querySelector('button')?.focus();
    } catch (error) {
      fill(body, errorNote(error, load));
    }
  }

  /** @param {{id: string, name: string, number: string, address: string, status_name: string, action_name: string, at: string}} one */
  const row = one => el('li', null, el('button', {type: 'button', class: 'done-row', onclick: () => { dialog.close(); onOpen(one.id); }},
    el('time', {class: 'muted small', datetime: one.at}, dateText(one.at, 'time')),
    el('span', {class: 'done-words'}, el('b', {class: 'ellipsis'}, one.name), el('span', {class: 'muted small ellipsis'}, one.address || one.number)),
    el('span', {class: 'small nowrap'}, one.action_name), el('span', {class: 'status-word'}, one.status_name)));

  load();
}
