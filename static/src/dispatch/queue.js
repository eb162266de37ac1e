// The queue pane: a row says what, where, who has it and how long is left. Only the rows on
// the screen exist as elements, and an element stays the same while its words change, so
// that the focus is never lost.

import {agoText, timeLeft} from '../lib/dates.js';
import {el, fill, styles} from '../lib/dom.js';
import {dateText, number, t} from '../lib/i18n.js';
import {emptyNote, errorNote, errorText, skeleton} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {RISK_ICONS} from '../ui/signs.js';

/** @typedef {import('./rows.js').Row} Row */
/** @typedef {import('./rows.js').Rows} Rows */

const OVERSCAN = 8;
const TICK_MS = 5000;
/** So close to the end of what is there the next page is fetched. */
const AHEAD_ROWS = 40;

/**
 * @param {HTMLElement} host
 * @param {{onOpen: (row: Row) => void, onHover: (id: string | null) => void, onMark: (row: Row, isRange: boolean) => void, onRetry: () => void, onMore: () => void, onNew: () => void,
 *   onClear: () => void, linkOf: (row: Row) => string, isMarked: (id: string) => boolean, hasFilter: () => boolean, now: () => number}} options
 */
export function createQueue(host, {onOpen, onHover, onMark, onRetry, onMore, onNew, onClear, linkOf, isMarked, hasFilter, now}) {
  const list = el('ol', {class: 'cases', 'aria-label': t('dispatch.list')});
  const notes = el('div', {class: 'queue-notes'});
  const scroller = el('div', {class: 'queue-scroll', tabindex: '-1', id: 'rows'}, list, notes);
  const pill = el('button', {type: 'button', class: 'new-pill', hidden: true, onclick: onNew});
  const stale = el('div', {class: 'stale', role: 'status', hidden: true});
  const told = el('div', {class: 'visually-hidden', role: 'status', 'aria-live': 'polite'});
  fill(host, stale, pill, scroller, told);

  /** @type {Rows} */
  let shown = {rows: [], total: 0, isExact: true, pending: new Set(), gone: new Set(), isLoading: true, isMore: false, error: null, at: 0};
  let opened = '';
  let hovered = '';
  let rowHeight = heightOf();
  let pendingTold = 0;
  /** @type {Map<string, {node: HTMLElement, words: string}>} */
  let drawn = new Map();

  /** Rows grow with the text of the page. */
  function heightOf() {
    return Math.round(parseFloat(getComputedStyle(document.body).fontSize) * 6);
  }

  // ---- one row

  /** @param {Row} row */
  function fresh(row) {
    const mark = el('input', {type: 'checkbox', class: 'row-mark', tabindex: '-1', 'aria-label': t('dispatch.mark', {number: row.number}),
      onclick: (/** @type {MouseEvent} */ event) => {
        const current = find(row.id);
        if (current) onMark(current, event.shiftKey);
      }});
    const link = el('a', {class: 'case-link', href: linkOf(row), tabindex: '-1',
      onclick: (/** @type {MouseEvent} */ event) => {
        const current = find(row.id);
        if (event.ctrlKey || event.metaKey || event.shiftKey || !current) return;
        event.preventDefault();
        onOpen(current);
      }});
    return {node: el('li', {class: 'case-row', data: {id: row.id}}, mark, link), words: ''};
  }

  /** @param {string} id */
  const find = id => shown.rows.find(row => row.id === id);

  /** @param {{node: HTMLElement, words: string}} kept @param {Row} row @param {number} place */
  function dress(kept, row, place) {
    const left = timeLeft(row, now());
    const flags = {open: row.id === opened, gone: shown.gone.has(row.id), marked: isMarked(row.id), hovered: row.id === hovered};
    styles(kept.node, {transform: `translateY(${place * rowHeight}px)`, height: `${rowHeight}px`});
    const who = claimOf(row);
    const ago = agoText(row.reported_at, now());
    const words = JSON.stringify([place, shown.total, left, flags, who, ago, row.status_name, row.holder, row.address, row.category.name, row.grid?.name, row.urgency, row.number]);
    if (words === kept.words) return;
    kept.words = words;
    kept.node.className = ['case-row', `is-${left.risk}`, flags.open && 'is-open', flags.gone && 'is-gone', flags.marked && 'is-marked', flags.hovered && 'is-hovered'].filter(Boolean).join(' ');
    kept.node.setAttribute('aria-posinset', String(place + 1));
    kept.node.setAttribute('aria-setsize', String(shown.total));
    const [mark, link] = kept.node.children;
    if (mark instanceof HTMLInputElement) mark.checked = flags.marked;
    if (flags.open) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
    fill(link,
      el('span', {class: 'case-line'},
        el('strong', {class: 'case-what ellipsis'}, row.category.name),
        row.urgency === 'A' && el('span', {class: 'tag tag-late'}, row.urgency_name ?? t('urgency.A')),
        el('span', {class: ['case-left', `tone-${left.risk}`]}, icon(RISK_ICONS[left.risk] ?? 'clock'), left.text)),
      el('span', {class: 'case-line'}, el('span', {class: 'case-where ellipsis'}, [row.address, row.grid?.name].filter(Boolean).join(' · ') || t('case.noAddress')),
        el('span', {class: 'case-ago'}, ago)),
      el('span', {class: 'case-line'}, el('span', {class: 'case-who ellipsis'}, [row.status_name, row.holder].filter(Boolean).join(' · ')),
        flags.gone ? el('span', {class: 'case-note'}, t('dispatch.gone')) : who && el('span', {class: ['case-claim', row.claim?.mine && 'is-mine']}, icon('user-check'), who)));
  }

  /** @param {Row} row */
  function claimOf(row) {
    if (!row.claim) return '';
    return row.claim.mine ? t('dispatch.claim.mine') : t('dispatch.claim.by', {name: row.claim.name});
  }

  // ---- the list

  function draw() {
    const {rows} = shown;
    styles(list, {height: `${rows.length * rowHeight}px`});
    const from = Math.max(0, Math.floor(scroller.scrollTop / rowHeight) - OVERSCAN);
    const to = Math.min(rows.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / rowHeight) + OVERSCAN);
    /** @type {typeof drawn} */
    const next = new Map();
    const held = document.activeElement?.closest('.case-row')?.getAttribute('data-id');
    const stop = stopId();
    for (let place = 0; place < rows.length; place += 1) {
      const row = rows[place];
      // What has the focus stays an element however far it is scrolled away.
      if ((place < from || place >= to) && row.id !== held && row.id !== stop) continue;
      const kept = drawn.get(row.id) ?? fresh(row);
      dress(kept, row, place);
      kept.node.querySelector('a')?.setAttribute('tabindex', row.id === stop ? '0' : '-1');
      next.set(row.id, kept);
    }
    for (const [id, {node}] of drawn) if (!next.has(id)) node.remove();
    let before = /** @type {Element | null} */ (null);
    for (const {node} of next.values()) {
      if (node.parentElement !== list || node.previousElementSibling !== before) list.insertBefore(node, before ? before.nextSibling : list.firstChild);
      before = node;
    }
    drawn = next;
    list.hidden = !rows.length;
    if (shown.isMore && to > rows.length - AHEAD_ROWS) onMore();
  }

  /** The one row that the Tab key stops at. */
  const stopId = () => (shown.rows.some(row => row.id === opened) ? opened : shown.rows[0]?.id);

  function drawNotes() {
    stale.hidden = !(shown.error && shown.rows.length);
    if (!stale.hidden) fill(stale, icon('clock-exclamation'), el('span', null, t('queue.stale', {at: dateText(shown.at, 'seconds'), why: errorText(shown.error)})),
      el('button', {type: 'button', class: 'link', onclick: onRetry}, t('action.retry')));
    const n = shown.pending.size;
    pill.hidden = !n;
    fill(pill, icon('arrow-up'), t('dispatch.new', {n}), el('kbd', {'aria-hidden': 'true'}, 'n'));
    if (n > pendingTold) told.textContent = t('dispatch.new', {n});
    pendingTold = n;
    if (shown.error && !shown.rows.length) fill(notes, errorNote(shown.error, onRetry));
    else if (shown.isLoading && !shown.rows.length) fill(notes, el('div', {role: 'status', class: 'visually-hidden'}, t('dispatch.loading')), skeleton(8));
    else if (!shown.rows.length) fill(notes, emptyNote('checks', t('dispatch.empty'), hasFilter() ? t('queue.emptyHint') : t('dispatch.emptyHint')),
      hasFilter() && el('div', {class: 'centre'}, el('button', {type: 'button', class: 'btn btn-small', onclick: onClear}, icon('filter-off'), t('queue.clear'))));
    else if (shown.isMore) fill(notes, el('p', {class: 'queue-more muted small'}, t('dispatch.more', {n: number(shown.rows.length), total: number(shown.total)})));
    else fill(notes, el('p', {class: 'queue-more muted small'}, t('queue.end', {n: shown.rows.length})));
  }

  let frame = 0;
  scroller.addEventListener('scroll', () => {
    frame ||= requestAnimationFrame(() => { frame = 0; draw(); });
  }, {passive: true});
  new ResizeObserver(() => { rowHeight = heightOf(); draw(); }).observe(scroller);
  list.addEventListener('pointerover', event => onHover(/** @type {Element} */ (event.target).closest('.case-row')?.getAttribute('data-id') ?? null));
  list.addEventListener('pointerleave', () => onHover(null));
  setInterval(draw, TICK_MS);

  /** @param {number} place */
  function reveal(place) {
    const top = place * rowHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + rowHeight > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + rowHeight - scroller.clientHeight;
  }

  const placeOf = (/** @type {string} */ id) => shown.rows.findIndex(row => row.id === id);
  const linkIn = (/** @type {string} */ id) => drawn.get(id)?.node.querySelector('a') ?? null;

  return {
    /** @param {Rows} next */
    show(next) {
      shown = next;
      draw();
      drawNotes();
    },
    redraw: draw,
    toTop() { scroller.scrollTop = 0; },
    /** @param {string} id @param {{isSeen?: boolean}} [options]  isSeen: it is in sight anyway */
    setOpened(id, {isSeen = false} = {}) {
      opened = id;
      const place = placeOf(id);
      if (place >= 0 && !isSeen) reveal(place);
      draw();
    },
    /** The row so far from the open one, or the first. @param {number} by */
    neighbour(by) {
      if (!shown.rows.length) return null;
      const place = placeOf(opened);
      return shown.rows[place < 0 ? 0 : Math.max(0, Math.min(shown.rows.length - 1, place + by))];
    },
    /** The rows from one to another, both counted. @param {string} a @param {string} b */
    between(a, b) {
      const [from, to] = [placeOf(a), placeOf(b)].sort((x, y) => x - y);
      return from < 0 ? [] : shown.rows.slice(from, to + 1);
    },
    /** @param {string | null} id */
    highlight(id) {
      if (hovered === (id ?? '')) return;
      hovered = id ?? '';
      draw();
    },
    /** Give the focus to the row of the open case, else to the list. */
    focus() {
      const id = stopId();
      if (id) reveal(placeOf(id));
      draw();
      const link = id ? linkIn(id) : null;
      if (link) link.focus({preventScroll: true});
      else scroller.focus({preventScroll: true});
    },
    hasFocus: () => host.contains(document.activeElement),
  };
}
