// The cases of the present filter, most pressing first. The first page is there at once;
// the rest follows in the background up to a bound, so that queue and map show the same.

import {getJson, urlOf} from '../lib/api.js';

/**
 * @typedef {{id: string, number: string, category: {code: string, name: string, kind?: string}, address: string, grid: {code: string, name: string} | null, area_name: string,
 *   status: string, status_name: string, holder: string | null, reported_at: string, due_at: string | null,
 *   risk: import('../lib/dates.js').Risk, lon: number, lat: number, source: string, source_name?: string, urgency: string, urgency_name?: string}} Case
 * @typedef {{rows: Case[], total: number, facets: {status: Record<string, number>, risk: Record<string, number>}, isLoading: boolean, isMore: boolean, error: unknown, at: number}} Cases
 */

const FIRST = 60;
const PAGE = 200;
/** More than this no screen can show; the legend says so. */
export const MOST = 1200;

/**
 * @param {{filter: () => Record<string, string>, hear: (cases: Cases, news: Set<string>) => void, read?: typeof getJson}} options
 */
export function createCaseList({filter, hear, read = getJson}) {
  /** @type {Cases} */
  let cases = {rows: [], total: 0, facets: {status: {}, risk: {}}, isLoading: false, isMore: false, error: null, at: 0};
  let isKnown = false;
  /** @type {AbortController | null} */
  let running = null;

  /** @param {Partial<Cases>} patch @param {Set<string>} [news] */
  function tell(patch, news = new Set()) {
    cases = {...cases, ...patch};
    hear(cases, news);
  }

  /** @param {string | null} after @param {number} limit @param {AbortSignal} signal */
  const page = (after, limit, signal) => read(urlOf('/api/incidents', {...filter(), after, limit}), {signal});

  /** Ask again with the present filter. isFresh: another filter, so old rows must not stay. @param {{isFresh?: boolean}} [options] */
  async function load({isFresh = false} = {}) {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    const known = isFresh || !isKnown ? null : new Set(cases.rows.map(row => row.id));
    tell({isLoading: true, ...(isFresh ? {rows: [], error: null, isMore: false} : {})});
    try {
      await loadPages(mine, known);
    } catch (error) {
      if (running === mine && !(error instanceof DOMException && error.name === 'AbortError')) tell({isLoading: false, error});
    }
  }

  /** @param {AbortController} mine @param {Set<string> | null} known */
  async function loadPages(mine, known) {
    const want = known ? Math.max(FIRST, Math.min(PAGE, cases.rows.length)) : FIRST;
    let answer = await page(null, want, mine.signal);
    let rows = answer.items;
    const isQuiet = known !== null;
    const step = () => ({
      rows, total: answer.total, facets: answer.facets ?? cases.facets, isLoading: Boolean(answer.next) && rows.length < MOST,
      isMore: Boolean(answer.next), error: null, at: Date.now(),
    });
    if (!isQuiet) tell(step());
    while (answer.next && rows.length < MOST) {
      answer = {...answer, ...(await page(answer.next, PAGE, mine.signal))};
      if (running !== mine) return;
      rows = rows.concat(answer.items);
      if (!isQuiet) tell(step());
    }
    if (running !== mine) return;
    isKnown = true;
    const news = new Set(known ? rows.filter((/** @type {Case} */ row) => !known.has(row.id)).map((/** @type {Case} */ row) => row.id) : []);
    tell({...step(), isLoading: false}, /** @type {Set<string>} */ (news));
  }

  return {load, get: () => cases};
}
