// What a dispatcher is told beside the facts of a case: that cases like it rest just now,
// and what was decided on like cases that departments argued about.

import {el} from '../lib/dom.js';
import {dateText, t} from '../lib/i18n.js';
import {icon} from '../ui/icon.js';

/** @typedef {{until: string | null, reason: string, approved_by: string}} Rests */
/** @typedef {{department: string, name: string, likeness: number, facts: string, why: string}} Precedent */

/** @param {{moratorium?: Rests | null}} file @returns {HTMLElement | null} */
export function restsOf({moratorium}) {
  if (!moratorium) return null;
  const {until, reason, approved_by: office} = moratorium;
  return el('p', {class: 'told', role: 'note'}, icon('player-pause'),
    el('span', null, t('dispatch.rests', {until: until ? dateText(until) : '–', reason, office})));
}

/** @param {{requires: {precedents?: Precedent[]}[]}} action @returns {HTMLElement | null} */
export function precedentsOf({requires}) {
  const found = requires.flatMap(spec => spec.precedents ?? []);
  if (!found.length) return null;
  return el('section', {class: 'told-list', 'aria-label': t('dispatch.precedents')}, el('h4', null, t('dispatch.precedents')),
    el('ul', null, ...found.map(one => el('li', {class: 'told'}, icon('gavel'),
      el('span', null, el('b', null, one.name), ' ', el('span', {class: 'badge'}, `${Math.round(100 * one.likeness)} %`), el('br'), one.facts, el('br'), el('span', {class: 'muted small'}, one.why))))));
}
