// What the keys of the desk do. A bare letter never does anything by itself: it opens the
// form of the step, which is then sent or left.

import {find} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {bindKeys} from '../lib/keys.js';
import {DEEDS, openHelp} from './keys.js';
import {isFiltered} from './state.js';

/** @type {Record<string, string>} */
const NAMES = {a: 'accept', d: 'dispatch', t: 'transfer', c: 'comment', x: 'close'};

/** @param {any} desk  the parts of the page and what they do together */
export function bindCommands({store, search, panes, queue, bulk, rows, facets, undo, casePane, map, toast, step, mark, takeNew, leaveCase, toggleFacets, clearFilter, locate}) {
  /** @param {string} key */
  function deed(key) {
    const names = DEEDS[key];
    const isForward = key === 'a';
    if (bulk.size() && bulk.begin(names)) return;
    if (!casePane.shown()) toast(t('dispatch.openFirst'), {tone: 'info'});
    else if (!casePane.begin(names, {orFirst: isForward})) toast(t('dispatch.notNow', {what: t(`dispatch.key.${NAMES[key]}`)}), {tone: 'info'});
    else panes.show('case');
  }

  function stepBack() {
    if (casePane.isActing()) casePane.cancel();
    else if (facets.isOpen()) toggleFacets();
    else if (!queue.hasFocus() && store.get().opened) { panes.show('queue'); queue.focus(); }
    else if (bulk.size()) bulk.clear();
    else if (store.get().opened) leaveCase();
    else if (isFiltered(store.get())) clearFilter();
    map.incidents.pin(null);
  }

  /** @param {number} by */
  function cyclePanes(by) {
    const order = /** @type {const} */ (['queue', 'map', 'case']);
    const next = order[(order.indexOf(panes.current()) + by + 3) % 3];
    panes.show(next);
    if (next === 'queue') queue.focus();
    else if (next === 'map') find('#map').focus();
    else casePane.focus();
  }

  bindKeys({
    '/': () => search.focus(),
    '?': openHelp,
    j: () => step(1),
    k: () => step(-1),
    Enter: () => { if (store.get().opened) { panes.show('case'); casePane.focus(); } },
    ...Object.fromEntries(Object.keys(DEEDS).map(key => [key, () => deed(key)])),
    m: () => { if (casePane.shown()) casePane.twins(); },
    u: () => undo.run(),
    w: () => casePane.toggleClaim(),
    n: () => { if (rows.get().pending.size) takeNew(); },
    f: toggleFacets,
    l: () => { const file = casePane.shown(); if (file) locate(file); },
    ' ': () => { const row = rows.find(store.get().opened); if (row) mark(row); },
    F6: event => cyclePanes(event.shiftKey ? -1 : 1),
    Escape: stepBack,
  });
  // Esc leaves a form too: what was typed is kept.
  find('#case').addEventListener('keydown', event => {
    if (event.key !== 'Escape' || event.isComposing || !casePane.isActing() || event.defaultPrevented) return;
    event.preventDefault();
    casePane.cancel();
  });
}
