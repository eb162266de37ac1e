// The queue: cases by risk of being late. A row says what, where, who has it and how
// long is left. Only the rows on the screen exist as elements.

import {el, fill} from '../lib/dom.js';
import {agoText, timeLeft} from '../lib/dates.js';
import {dateText, hasText, number, t} from '../lib/i18n.js';
import {icon} from '../ui/icon.js';
import {emptyNote, errorNote, errorText, skeleton} from '../ui/errors.js';
import {RISK_ICONS} from '../ui/signs.js';
import {MOST} from './case-list.js';

/** @typedef {import('./case-list.js').Case} Case */
/** @typedef {import('./case-list.js').Cases} Cases */

/** The states of an open case in the order of its life. */
const STATUS_ORDER = ['pending_accept', 'pending_verify', 'pending_file', 'pending_dispatch', 'pending_sign', 'handling', 'pending_review', 'pending_check', 'pending_close', 'suspended'];
const RISK_ORDER = ['late', 'soon', 'ok', 'paused', 'done'];
const OVERSCAN = 6;
const TICK_MS = 15_000;

/**
 * @param {HTMLElement} host
 * @param {{rowHeight: number, onFilter: (patch: {status?: string, risk?: string}) => void, onClear: () => void, onOpen: (row: Case) => void, onHover: (id: string | null) => void,
 *   onRetry: () => void, linkOf: (row: Case) => string}} options
 */
export function createQueue(host, {rowHeight, onFilter, onClear, onOpen, onHover, onRetry, linkOf}) {
  const title = el('h2', null, t('queue.title'));
  const count = el('span', {class: 'queue-count'});
  const link = el('span', {class: 'link-state'});
  const risks = el('div', {class: 'chips', role: 'group', 'aria-label': t('queue.byRisk')});
  const states = el('div', {class: 'chips', role: 'group', 'aria-label': t('queue.byStatus')});
  const applied = el('div', {class: 'applied', hidden: true});
  const stale = el('div', {class: 'stale', role: 'status', hidden: true});
  const list = el('ol', {class: 'cases', 'aria-label': t('queue.title')});
  const notes = el('div', {class: 'queue-notes'});
  const scroller = el('div', {class: 'queue-scroll', tabindex: '-1'}, list, notes);
  fill(host,
    el('header', {class: 'queue-head'},
      el('div', {class: 'queue-title'}, title, count, el('span', {class: 'spacer'}), el('span', {class: 'muted small'}, t('queue.order')), link),
      risks, states, applied, stale),
    scroller);

  /** @type {Cases} */
  let cases = {rows: [], total: 0, facets: {status: {}, risk: {}}, isLoading: true, isMore: false, error: null, at: 0};
  let filter = {status: '', risk: ''};
  let opened = '';
  let active = -1;
  /** @type {Map<string, number>} */
  const fresh = new Map();
  /** @type {Map<string, HTMLElement>} */
  let drawn = new Map();

  // ---- rows

  /** @param {Case} row @param {number} place */
  function rowOf(row, place) {
    const left = timeLeft(row, Date.now());
    const isOpen = row.id === opened;
    return el('li', {class: ['case-row', `is-${left.risk}`, isOpen && 'is-open', fresh.has(row.id) && 'is-fresh'], data: {id: row.id}, 'aria-setsize': cases.total, 'aria-posinset': place + 1, style: {top: `${place * rowHeight}px`}},
      el('a', {class: 'case-link', href: linkOf(row), 'aria-current': isOpen ? 'true' : null,
        onclick: (/** @type {MouseEvent} */ event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          onOpen(row);
        }},
      el('span', {class: 'case-line'},
        el('strong', {class: 'case-what ellipsis'}, row.category.name),
        el('span', {class: ['case-left', `tone-${left.risk}`]}, icon(RISK_ICONS[left.risk] ?? 'clock'), left.text)),
      el('span', {class: 'case-line'}, el('span', {class: 'case-where ellipsis'}, [row.address, row.grid?.name].filter(Boolean).join(' · ')),
        el('span', {class: 'case-ago'}, row.urgency === 'A' && el('b', {class: 'tone-late'}, row.urgency_name ?? t('urgency.A'), ' · '), agoText(row.reported_at, Date.now()))),
      el('span', {class: 'case-line case-who ellipsis'}, [row.status_name, row.holder].filter(Boolean).join(' · '))));
  }

  function draw() {
    list.style.height = `${cases.rows.length * rowHeight}px`;
    const from = Math.max(0, Math.floor(scroller.scrollTop / rowHeight) - OVERSCAN);
    const to = Math.min(cases.rows.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / rowHeight) + OVERSCAN);
    /** @type {Map<string, HTMLElement>} */
    const next = new Map();
    const held = document.activeElement?.closest('.case-row')?.getAttribute('data-id');
    for (let place = from; place < to; place += 1) next.set(cases.rows[place].id, rowOf(cases.rows[place], place));
    list.replaceChildren(...next.values());
    drawn = next;
    if (held) drawn.get(held)?.querySelector('a')?.focus({preventScroll: true});
  }

  /** Move what is on the screen without making it anew. */
  function drawIfNeeded() {
    const from = Math.max(0, Math.floor(scroller.scrollTop / rowHeight));
    const to = Math.min(cases.rows.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / rowHeight));
    for (let place = from; place < to; place += 1) {
      if (!drawn.has(cases.rows[place].id)) {
        draw();
        return;
      }
    }
  }

  // ---- head

  /** @param {string} name @param {'risk' | 'status'} kind @param {string} label @param {number | undefined} amount @param {string | null} mark */
  function chip(name, kind, label, amount, mark) {
    const isOn = filter[kind] === name;
    return el('button', {type: 'button', class: ['chip', mark && `chip-${name}`], 'aria-pressed': String(isOn),
      onclick: () => onFilter({[kind]: isOn ? '' : name})}, mark && icon(mark), label, amount !== undefined && el('b', null, number(amount)));
  }

  function drawHead() {
    count.textContent = cases.at ? number(cases.total) : '';
    const {risk, status} = cases.facets;
    fill(risks, ...RISK_ORDER.filter(name => risk[name] || filter.risk === name).map(name => chip(name, 'risk', t(`risk.${name}`), risk[name] ?? 0, RISK_ICONS[name])));
    const known = STATUS_ORDER.filter(name => status[name] || filter.status === name);
    const others = filter.status && !known.includes(filter.status) ? [filter.status] : [];
    const labelOf = (/** @type {string} */ name) => (hasText(`status.${name}`) ? t(`status.${name}`) : name);
    fill(states, ...[...known, ...others].map(name => chip(name, 'status', labelOf(name), status[name], null)));
  }

  function drawNotes() {
    stale.hidden = !(cases.error && cases.rows.length);
    if (!stale.hidden) fill(stale, icon('clock-exclamation'), el('span', null, t('queue.stale', {at: dateText(cases.at, 'seconds'), why: errorText(cases.error)})),
      el('button', {type: 'button', class: 'link', onclick: onRetry}, t('action.retry')));
    if (cases.error && !cases.rows.length) fill(notes, errorNote(cases.error, onRetry));
    else if (cases.isLoading && !cases.rows.length) fill(notes, skeleton(8));
    else if (!cases.rows.length) fill(notes, emptyNote('checks', t('queue.empty'), applied.hidden ? '' : t('queue.emptyHint')),
      !applied.hidden && el('div', {class: 'centre'}, el('button', {type: 'button', class: 'btn btn-small', onclick: onClear}, icon('filter-off'), t('queue.clear'))));
    else if (cases.rows.length < cases.total) fill(notes, el('p', {class: 'queue-more muted small'}, cases.isLoading ? t('queue.loading') : t('queue.most', {n: number(cases.rows.length), total: number(cases.total), most: number(MOST)})));
    else fill(notes, el('p', {class: 'queue-more muted small'}, t('queue.end', {n: cases.total})));
  }

  // ---- behaviour

  scroller.addEventListener('scroll', drawIfNeeded, {passive: true});
  new ResizeObserver(draw).observe(scroller);
  list.addEventListener('pointerover', event => onHover(/** @type {Element} */ (event.target).closest('.case-row')?.getAttribute('data-id') ?? null));
  list.addEventListener('pointerleave', () => onHover(null));
  setInterval(draw, TICK_MS);

  /** @param {number} place */
  function reveal(place) {
    const top = place * rowHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + rowHeight > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + rowHeight - scroller.clientHeight;
  }

  return {
    /** @param {Cases} next @param {Set<string>} news */
    show(next, news) {
      cases = next;
      for (const id of news) {
        fresh.set(id, Date.now());
        setTimeout(() => { fresh.delete(id); drawn.get(id)?.classList.remove('is-fresh'); }, 8000);
      }
      drawHead();
      draw();
      drawNotes();
    },
    /** @param {{status: string, risk: string, isAboutAll: boolean}} next @param {{text: string, clear: () => void}[]} words  filters that no chip shows */
    setFilter(next, words) {
      filter = next;
      title.textContent = t(next.isAboutAll ? 'queue.titleAll' : 'queue.title');
      applied.hidden = !words.length && !next.status && !next.risk;
      fill(applied, ...words.map(word => el('button', {type: 'button', class: 'chip', 'aria-pressed': 'true', onclick: word.clear, 'aria-label': t('queue.drop', {what: word.text})}, word.text, icon('x'))),
        el('button', {type: 'button', class: 'link small', onclick: onClear}, t('queue.clear')));
      drawHead();
      scroller.scrollTop = 0;
    },
    /** @param {string} id */
    setOpened(id) {
      opened = id;
      const place = cases.rows.findIndex(row => row.id === id);
      if (place >= 0) {
        active = place;
        reveal(place);
      }
      draw();
    },
    /** Move the mark up or down and give the row there. @param {number} by */
    step(by) {
      if (!cases.rows.length) return null;
      active = Math.max(0, Math.min(cases.rows.length - 1, active + by));
      reveal(active);
      draw();
      drawn.get(cases.rows[active].id)?.querySelector('a')?.focus({preventScroll: true});
      return cases.rows[active];
    },
    /** @param {'live' | 'polling' | 'offline'} state @param {string} detail */
    setLink(state, detail) {
      link.className = `link-state is-${state}`;
      link.title = detail;
      fill(link, el('i'), t(`live.${state}`));
    },
    highlight(/** @type {string | null} */ id) {
      for (const [key, node] of drawn) node.classList.toggle('is-hovered', key === id);
    },
    focus: () => scroller.focus(),
  };
}

/** For rows outside the queue: a link with what, where, how long. @param {Case} row @param {(row: Case) => void} open */
export function miniRow(row, open) {
  const left = timeLeft(row, Date.now());
  return el('button', {type: 'button', class: 'mini-row', onclick: () => open(row)},
    el('span', {class: `mini-bar is-${left.risk}`}), el('span', {class: 'ellipsis'}, row.category.name),
    el('span', {class: ['nowrap', `tone-${left.risk}`]}, left.text));
}
