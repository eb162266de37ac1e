// Every notice of this visit, the newest first.

import {el} from '../lib/dom.js';
import {dateText, t} from '../lib/i18n.js';
import {openDialog} from './dialog.js';

/** @param {readonly import('./toast.js').Notice[]} log */
export function openLog(log) {
  const dialog = openDialog({
    title: t('toast.log'),
    body: log.length
      ? el('ol', {class: 'log'}, ...log.map(notice => el('li', {class: `log-${notice.tone}`}, el('time', {class: 'muted small'}, dateText(notice.at, 'seconds')),
        notice.act ? el('button', {type: 'button', class: 'link', onclick: () => { dialog.close(); notice.act?.(); }}, notice.text) : el('span', null, notice.text))))
      : el('p', {class: 'muted'}, t('log.empty')),
  });
}
