// The rows of the queue. What a dispatcher reads keeps its order: news changes rows where
// they stand, what is new waits above until it is asked for, what left the filter stays
// pale in its place until the next look.

import {getJson, urlOf} from '../lib/api.js';
import {same} from '../lib/store.js';

/** @typedef {{name: string, mine: boolean, since: string, until?: string}} Claim */
/** @typedef {import('../command/case-list.js').Case & {stage?: string | null, department?: string | null, claim?: Claim | null, rework_count?: number, return_count?: number, flags?: string[], photo?: string | null, stage_at?: string, duplicates?: number}} Row */
/** @typedef {{rows: Row[], total: number, isExact: boolean, pending: Set<string>, gone: Set<string>, isLoading: boolean, isMore: boolean, error: unknown, at: number}} Rows */

const FIRST = 60;
const PAGE = 200;
/** Rows of the top that are compared with the server's when news comes. */
const WATCHED = 200;

/** @type {Rows} */
const NOTHING = {rows: [], total: 0, isExact: true, pending: new Set(), gone: new Set(), isLoading: false, isMore: false, error: null, at: 0};

/**
 * @param {{filter: () => Record<string, string>, sort: () => string, hear: (rows: Rows) => void, read?: typeof getJson, now?: () => number, heardAt?: (at: string, askedAt: number) => void}} options
 */
export function createRows({filter, sort, hear, read = getJson, now = Date.now, heardAt}) {
  let state = NOTHING;
  /** @type {string | null} */
  let next = null;
  /** @type {AbortController | null} */
  let running = null;
  let isWatching = false;

  /** @param {Partial<Rows>} patch */
  function tell(patch) {
    state = {...state, ...patch};
    hear(state);
  }

  /** @param {string | null} after @param {number} limit @param {AbortSignal} [signal] */
  async function page(after, limit, signal) {
    const askedAt = performance.now();
    const answer = await read(urlOf('/api/desk/queue', {...filter(), sort: sort(), after, limit}), {signal});
    if (answer.now) heardAt?.(answer.now, askedAt);
    return answer;
  }

  /** Read from the top. isFresh: another filter, so old rows must not stay. @param {{isFresh?: boolean}} [options] */
  async function load({isFresh = false} = {}) {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    tell({isLoading: true, ...(isFresh ? {rows: [], error: null, isMore: false, pending: new Set(), gone: new Set()} : {})});
    try {
      const answer = await page(null, Math.min(PAGE, Math.max(FIRST, isFresh ? 0 : state.rows.length)), mine.signal);
      if (running !== mine) return;
      next = answer.next ?? null;
      tell({...(next ? {} : {total: answer.items.length, isExact: true}), rows: answer.items, isMore: Boolean(next), isLoading: false, error: null, pending: new Set(), gone: new Set(), at: now()});
    } catch (error) {
      if (running === mine && !isAbort(error)) tell({isLoading: false, error});
    }
  }

  /** The following page, when the end of what is there comes into sight. */
  async function more() {
    if (!next || state.isLoading || state.error) return;
    const mine = new AbortController();
    running = mine;
    tell({isLoading: true});
    try {
      const answer = await page(next, PAGE, mine.signal);
      if (running !== mine) return;
      next = answer.next ?? null;
      const known = new Set(state.rows.map(row => row.id));
      tell({rows: state.rows.concat(answer.items.filter((/** @type {Row} */ row) => !known.has(row.id))), isMore: Boolean(next), isLoading: false, error: null});
    } catch (error) {
      if (running === mine && !isAbort(error)) tell({isLoading: false, error});
    }
  }

  /** Compare with the server without moving anything. Returns whether it answered. */
  async function watch() {
    if (state.isLoading || isWatching || !state.at) return !state.error;
    isWatching = true;
    const asked = filter();
    try {
      const answer = await page(null, Math.min(WATCHED, Math.max(FIRST, state.rows.length)));
      if (state.isLoading || !same(asked, filter())) return true;
      const shown = new Map(state.rows.map(row => [row.id, row]));
      const fresh = new Map(answer.items.map((/** @type {Row} */ row) => [row.id, row]));
      // What only moved up into sight because others left is not new: it stands behind the last known row.
      /** @type {string[]} */
      const order = answer.items.map((/** @type {Row} */ row) => row.id);
      const end = answer.next ? order.reduce((last, id, place) => (shown.has(id) ? place : last), -1) : order.length;
      const pending = new Set(order.slice(0, Math.max(0, end)).filter(id => !shown.has(id)));
      const gone = new Set([...state.gone].filter(id => !fresh.has(id)));
      if (!answer.next) for (const id of shown.keys()) if (!fresh.has(id)) gone.add(id);
      tell({rows: state.rows.map(row => /** @type {Row} */ (fresh.get(row.id) ?? row)), pending, gone, error: null, at: now()});
      return true;
    } catch (error) {
      if (!isAbort(error)) tell({error});
      return false;
    } finally {
      isWatching = false;
    }
  }

  /** Put newer words in the place of a row. @param {Partial<Row> & {id: string}} patch @param {boolean} [isGone] */
  function update(patch, isGone) {
    const at = state.rows.findIndex(row => row.id === patch.id);
    if (at < 0) return;
    const row = {...state.rows[at], ...patch};
    const gone = new Set(state.gone);
    if (isGone === true) gone.add(patch.id);
    else if (isGone === false) gone.delete(patch.id);
    if (same(row, state.rows[at]) && gone.size === state.gone.size) return;
    tell({rows: state.rows.map(old => (old.id === row.id ? row : old)), gone});
  }

  /** How many there are, counted apart from the pages. @param {number} total @param {boolean} isExact */
  const setTotal = (total, isExact) => tell({total, isExact});

  return {load, more, watch, update, setTotal, get: () => state, find: (/** @type {string} */ id) => state.rows.find(row => row.id === id)};
}

/** The words of a row from a whole case; who works on it is told by the stream. @param {import('./case.js').CaseFile} file */
export function wordsOf(file) {
  /** @type {any} */
  const words = {...file};
  delete words.claim;
  return words;
}

/** @param {unknown} error */
const isAbort = error => error instanceof DOMException && error.name === 'AbortError';
