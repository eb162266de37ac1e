// Where a case comes from, the link of one that was handed over, the pages of its channels.
// The address of a report is shown as text: nobody is led out of the network by a press.

import {el} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {icon} from '../ui/icon.js';

/** @typedef {{kind: string, name: string, by: string, on: string, text: string, link: string, grade: string, until: string}} Origin */

/** @typedef {{icon: string, url: string, name: string}} Way */

/** @param {{origin?: Origin | null, hand_over?: {url: string, name: string} | null, ways?: Way[]}} file @returns {HTMLElement | null} */
export function originOf({origin, hand_over: link, ways = []}) {
  if (!origin && !link && !ways.length) return null;
  return el('section', {class: 'case-origin', 'aria-label': origin?.name ?? link?.name ?? t('case.ways')},
    origin && el('p', null, icon(origin.kind === 'note' ? 'writing' : 'news'), ' ', el('b', null, origin.name), ' ',
      el('span', {class: 'muted small'}, `${origin.by} · ${origin.on}`), ' ', origin.grade && el('span', {class: 'tag'}, origin.grade)),
    origin && el('p', null, origin.text),
    origin?.until && el('p', null, el('b', null, origin.until)),
    origin?.link && el('p', {class: 'muted small'}, origin.link),
    (link || ways.length > 0) && el('p', {class: 'case-ways'}, link && el('a', {class: 'btn btn-small', href: link.url}, icon('link'), link.name),
      ...ways.map(way => el('a', {class: 'btn btn-small', href: way.url}, icon(way.icon), way.name))));
}
