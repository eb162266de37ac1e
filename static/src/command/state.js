// The state of the command center and its address: whoever gets the address sees the same.

import {shiftDay} from '../lib/dates.js';

/** @typedef {'incidents' | 'people' | 'enterprises' | 'components' | 'none'} Theme */
/**
 * @typedef {object} State
 * @property {{lon: number, lat: number, zoom: number} | null} at
 * @property {Theme} theme
 * @property {string[] | null} layers  null: as the registry has them on
 * @property {string} area
 * @property {string} status
 * @property {string} risk
 * @property {string} q
 * @property {string} category  a code or the beginning of one
 * @property {string} grid
 * @property {string} opened  the case that is open
 * @property {string} from  a day, or empty
 * @property {string} to
 */

export const THEMES = /** @type {const} */ (['incidents', 'people', 'enterprises', 'components']);
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const CODE = /^\d{6,18}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @type {State} */
export const BLANK = {at: null, theme: 'incidents', layers: null, area: '', status: '', risk: '', q: '', category: '', grid: '', opened: '', from: '', to: ''};

/** Read an address; what makes no sense is as if it were not there. @param {string} search @returns {State} */
export function readState(search) {
  const query = new URLSearchParams(search);
  const text = (/** @type {string} */ name, /** @type {RegExp} */ shape) => {
    const value = query.get(name) ?? '';
    return shape.test(value) ? value : '';
  };
  const theme = query.get('theme') ?? '';
  const [from, to] = [text('from', DAY), text('to', DAY)];
  return {
    at: readPlace(query.get('at')),
    theme: /** @type {Theme} */ ([...THEMES, 'none'].includes(theme) ? theme : BLANK.theme),
    layers: query.has('layers') ? (query.get('layers') ?? '').split(',').filter(Boolean) : null,
    area: text('area', CODE),
    status: text('status', /^[a-z_,]+$/),
    risk: text('risk', /^[a-z,]+$/),
    q: (query.get('q') ?? '').slice(0, 100),
    category: text('category', /^\d{1,6}$/),
    grid: text('grid', CODE),
    opened: text('case', UUID),
    from: from && to && from <= to ? from : '',
    to: from && to && from <= to ? to : '',
  };
}

/** @param {string | null} text */
function readPlace(text) {
  const parts = (text ?? '').split('/').map(Number);
  const [zoom, lat, lon] = parts;
  if (parts.length !== 3 || parts.some(part => !Number.isFinite(part))) return null;
  if (zoom < 1 || zoom > 20 || Math.abs(lat) > 85 || Math.abs(lon) > 180) return null;
  return {zoom: Math.round(zoom), lat, lon};
}

/** The query of a state; what is as usual is left out. @param {State} state @param {string} [keep]  parameters of others to carry on */
export function writeState(state, keep = '') {
  const query = new URLSearchParams();
  const kept = new URLSearchParams(keep);
  if (kept.has('wall')) query.set('wall', kept.get('wall') ?? '');
  if (state.at) query.set('at', `${state.at.zoom}/${state.at.lat.toFixed(5)}/${state.at.lon.toFixed(5)}`);
  if (state.theme !== BLANK.theme) query.set('theme', state.theme);
  if (state.layers) query.set('layers', state.layers.join(','));
  for (const name of /** @type {const} */ (['area', 'status', 'risk', 'q', 'category', 'grid', 'from', 'to'])) {
    if (state[name]) query.set(name, state[name]);
  }
  if (state.opened) query.set('case', state.opened);
  // Slashes and commas may stand in a query; people read this address.
  const text = query.toString().replaceAll('%2F', '/').replaceAll('%2C', ',');
  return text ? `?${text}` : '';
}

/** Whether closed cases are meant too: where words are looked for or a period is chosen. @param {State} state */
export const isAboutAll = ({status, q, from}) => status === 'all' || (!status && Boolean(q || from));

/**
 * The part of the state that chooses cases, as the API has it: without a wish open cases
 * only; `to` is the first day that is not meant.
 *
 * @param {State} state
 */
export function filterOf(state) {
  const {area, status, risk, q, category, grid, from, to} = state;
  return {area, status: isAboutAll(state) ? '' : status || 'open', risk, q, category, grid, from, to: to && shiftDay(to, 1)};
}

/** Whether anything limits the list of cases besides the area. @param {State} state */
export const isFiltered = ({status, risk, q, category, grid, from}) => Boolean(status || risk || q || category || grid || from);

/** No filter at all, and no case open. */
export const NO_FILTER = {status: '', risk: '', q: '', category: '', grid: '', from: '', to: ''};

/**
 * The list that a figure of the top bar counts.
 *
 * @param {'open' | 'late' | 'reported_today' | 'on_time_month'} figure
 * @param {string} today  the day in the city
 * @returns {Partial<State>}
 */
export function listOf(figure, today) {
  const clean = {...NO_FILTER, opened: ''};
  if (figure === 'late') return {...clean, risk: 'late'};
  if (figure === 'reported_today') return {...clean, status: 'all', from: today, to: today};
  if (figure === 'on_time_month') return {...clean, status: 'done', from: `${today.slice(0, 8)}01`, to: today};
  return clean;
}
