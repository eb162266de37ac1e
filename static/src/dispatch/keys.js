// The keys of the desk: one table for the handler, the hints on the buttons and the help.

import {el} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {openDialog} from '../ui/dialog.js';

/** What a letter begins: the first of these that is allowed now. @type {Record<string, string[]>} */
export const DEEDS = {
  a: ['accept', 'file', 'approve_return', 'ask_check', 'check_ok', 'extend', 'defer', 'suspend', 'appeal_first', 'appeal_final', 'arbitrate'],
  d: ['dispatch', 'fast_track'],
  t: ['send_back', 'reassign', 'return', 'hand_over'],
  c: ['comment'],
  x: ['close', 'self_close'],
  e: ['expedite', 'supervise'],
  r: ['rework', 'reopen'],
  q: ['ask_reporter', 'reporter_answered'],
};

/** Steps that others have heard of at once: the table has no way back for them. */
export const FINAL = new Set(['arbitrate', 'ask_reporter', 'dispute', 'hand_over', 'self_close', 'unmerge']);

/** The letter of an action, where it has one. @param {{action: string}} action */
export function keyOf({action}) {
  if (action === 'merge') return 'm';
  return Object.keys(DEEDS).find(key => DEEDS[key].includes(action)) ?? '';
}

const HELP = [
  ['/', 'search'], ['j k', 'move'], ['Enter', 'enter'], ['Esc', 'back'], ['F6', 'panes'],
  ['a', 'accept'], ['d', 'dispatch'], ['t', 'transfer'], ['c', 'comment'], ['x', 'close'], ['e', 'expedite'], ['r', 'rework'], ['q', 'ask'], ['.', 'acts'], ['m', 'merge'], ['u', 'undo'],
  ['w', 'claim'], ['Space', 'mark'], ['n', 'new'], ['f', 'filter'], ['s', 'saved'], ['l', 'locate'], ['1 … 9', 'suggest'], ['Ctrl Enter', 'send'], ['?', 'help'],
];

export function openHelp() {
  openDialog({
    title: t('help.title'), class: 'dialog-help',
    body: [el('dl', {class: 'facts help'}, ...HELP.map(([keys, name]) => el('div', null,
      el('dt', null, ...keys.split(' ').map(key => el('kbd', null, key))), el('dd', null, t(`dispatch.key.${name}`))))),
    el('p', {class: 'muted small'}, t('dispatch.key.note'))],
  });
}
