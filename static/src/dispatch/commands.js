// What the keys of the desk do. A bare letter never does anything by itself: it opens the
// form of the step, which is then sent or left.

import {find} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {bindKeys} from '../lib/keys.js';
import {DEEDS, openHelp} from './keys.js';
import {isFiltered} from './state.js';

/** @type {Record<string, string>} */
const NAMES = {a: 'accept', d: 'dispatch', t: 'transfer', c: 'comment', x: 'close', e: 'expedite', r: 'rework', q: 'ask'};

/** @param {any} desk  the parts of the page and what they do together */
export function bindCommands({store, search, panes, queue, bulk, rows, facets, undo, casePane, map, toast, step, mark, takeNew, leaveCase, toggleFacets, openSaved, clearFilter, locate}) {
  /** @param {string} key */
  function deed(key) {
    const refuse = () => toast(t('dispatch.notNow', {what: t(`dispatch.key.${NAMES[key]}`)}), {tone: 'info'});
    // What is marked is meant, never the open case beside it.
    if (bulk.size()) bulk.begin(DEEDS[key]).then((/** @type {boolean} */ hasBegun) => { if (!hasBegun) refuse(); });
    else onCase(() => {
      if (!casePane.begin(DEEDS[key], {orFirst: key === 'a'})) refuse();
      else panes.show('case');
    });
  }

  /** The case that is selected, which may still be on its way. @param {() => void} act */
  function onCase(act) {
    const {opened} = store.get();
    if (opened) casePane.whenShown(opened, act);
    else toast(t('dispatch.openFirst'), {tone: 'info'});
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
    Enter: () => { if (store.get().opened) onCase(() => { panes.show('case'); casePane.focus(); }); },
    ...Object.fromEntries(Object.keys(DEEDS).map(key => [key, () => deed(key)])),
    m: () => onCase(() => casePane.twins()),
    u: () => undo.run(),
    w: () => onCase(() => casePane.toggleClaim()),
    n: () => { if (rows.get().pending.size) takeNew(); },
    f: toggleFacets,
    s: openSaved,
    l: () => onCase(() => locate(casePane.shown())),
    '.': () => onCase(() => casePane.acts()),
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
