// The parts of the queue pane, from above: head, list with what lies over it, marks.

import {el, fill} from '../lib/dom.js';
import {t} from '../lib/i18n.js';

/** @param {HTMLElement} pane */
export function frame(pane) {
  const head = el('header', {class: 'queue-head'});
  const rows = el('div', {class: 'queue-rows'});
  const facets = el('section', {class: 'facets', hidden: true, 'aria-label': t('dispatch.filters')});
  const saved = el('div', {class: 'menu saved-menu', hidden: true, role: 'group', 'aria-label': t('dispatch.saved')});
  const bulk = el('div', {class: 'bulk-bar', hidden: true, role: 'group', 'aria-label': t('dispatch.bulk')});
  fill(pane, head, el('div', {class: 'queue-stack'}, rows, facets, saved), bulk);
  return {head, rows, facets, saved, bulk};
}
