// The state of the desk and its address: whoever gets the address sees the same queue, the
// same map and the same case. Opening an address changes nothing on the server.

import {shiftDay} from '../lib/dates.js';

/**
 * @typedef {object} State
 * @property {{lon: number, lat: number, zoom: number} | null} at
 * @property {'risk' | 'new'} sort
 * @property {string} status  states with commas, `open`, `done`, `all`; empty: open ones
 * @property {string} stage
 * @property {string} risk
 * @property {string} area
 * @property {string} grid
 * @property {string} category
 * @property {string} channel
 * @property {string} urgency
 * @property {string} department
 * @property {string} flag
 * @property {string} holder
 * @property {string} q
 * @property {string} from
 * @property {string} to
 * @property {string} bbox  the part of the map that the queue is limited to
 * @property {string} opened
 */

/** What limits the queue, in the order in which the chips stand. */
export const FILTERS = /** @type {const} */ (['q', 'status', 'stage', 'risk', 'area', 'grid', 'category', 'department', 'channel', 'urgency', 'flag', 'holder', 'from', 'to', 'bbox']);

const WORDS = /^[\w,.-]{1,200}$/;
/** @type {Record<string, RegExp>} */
const SHAPES = {
  from: /^\d{4}-\d{2}-\d{2}$/, to: /^\d{4}-\d{2}-\d{2}$/, area: /^\d{6,15}(,\d{6,15})*$/, grid: /^\d{6,18}$/,
  bbox: /^-?\d+(\.\d+)?(,-?\d+(\.\d+)?){3}$/, category: /^[\w,:-]{1,200}$/,
};
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @type {State} */
export const BLANK = {
  at: null, sort: 'risk', status: '', stage: '', risk: '', area: '', grid: '', category: '', channel: '', urgency: '',
  department: '', flag: '', holder: '', q: '', from: '', to: '', bbox: '', opened: '',
};

/** No filter at all. */
export const NO_FILTER = /** @type {Partial<State>} */ (Object.fromEntries(FILTERS.map(name => [name, ''])));

/** Read an address; what makes no sense is as if it were not there. @param {string} search @returns {State} */
export function readState(search) {
  const query = new URLSearchParams(search);
  /** @type {any} */
  const state = {...BLANK, at: readPlace(query.get('at')), sort: query.get('sort') === 'new' ? 'new' : 'risk'};
  for (const name of FILTERS) {
    const value = (query.get(name) ?? '').slice(0, 200);
    state[name] = name === 'q' ? value.slice(0, 100) : (SHAPES[name] ?? WORDS).test(value) ? value : '';
  }
  if (!(state.from && state.to && state.from <= state.to)) state.from = state.to = '';
  const opened = query.get('case') ?? '';
  state.opened = UUID.test(opened) ? opened.toLowerCase() : '';
  return state;
}

/** @param {string | null} text */
function readPlace(text) {
  const parts = (text ?? '').split('/').map(Number);
  const [zoom, lat, lon] = parts;
  if (parts.length !== 3 || parts.some(part => !Number.isFinite(part))) return null;
  if (zoom < 1 || zoom > 20 || Math.abs(lat) > 85 || Math.abs(lon) > 180) return null;
  return {zoom: Math.round(zoom), lat, lon};
}

/** The query of a state; what is as usual is left out. @param {State} state */
export function writeState(state) {
  const query = new URLSearchParams();
  for (const name of FILTERS) if (state[name]) query.set(name, state[name]);
  if (state.sort !== BLANK.sort) query.set('sort', state.sort);
  if (state.at) query.set('at', `${state.at.zoom}/${state.at.lat.toFixed(5)}/${state.at.lon.toFixed(5)}`);
  if (state.opened) query.set('case', state.opened);
  const text = query.toString().replaceAll('%2F', '/').replaceAll('%2C', ',');
  return text ? `?${text}` : '';
}

/**
 * The part of the state that chooses cases, as the API has it: without a wish open cases
 * only; words and periods look everywhere; `to` is the first day that is not meant.
 *
 * @param {State} state
 * @returns {Record<string, string>}
 */
export function filterOf(state) {
  const isAboutAll = state.status === 'all' || (!state.status && Boolean(state.q || state.from));
  const chosen = Object.fromEntries(FILTERS.map(name => [name, state[name]]).filter(([, value]) => value));
  delete chosen.status;
  if (!isAboutAll) chosen.status = state.status || 'open';
  if (state.to) chosen.to = shiftDay(state.to, 1);
  return chosen;
}

/** What a saved filter keeps: everything that limits, and the order. @param {State} state @returns {Record<string, string>} */
export const savedOf = state => Object.fromEntries([...FILTERS.filter(name => name !== 'bbox' && state[name]).map(name => [name, state[name]]),
  ...(state.sort === BLANK.sort ? [] : [['sort', state.sort]])]);

/** The state that a saved filter asks for. @param {Record<string, any>} query @returns {Partial<State>} */
export function fromSaved(query) {
  const read = readState(`?${new URLSearchParams(Object.entries(query ?? {}).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : String(value)]))}`);
  return {...Object.fromEntries(FILTERS.map(name => [name, read[name]])), sort: read.sort};
}

/** Whether anything limits the queue. @param {State} state */
export const isFiltered = state => FILTERS.some(name => state[name]);

/** Add or take away one of several values of a filter. @param {string} list @param {string} value */
export function toggled(list, value) {
  const values = list ? list.split(',') : [];
  return (values.includes(value) ? values.filter(other => other !== value) : [...values, value]).join(',');
}

/** Whether a case still belongs to the queue that is shown, as far as its state says. @param {State} state @param {{status: string, risk: string}} row */
export function belongs(state, row) {
  const {status = ''} = filterOf(state);
  const isDone = row.risk === 'done';
  if (!status) return true;
  return status.split(',').some(wanted => wanted === row.status || (wanted === 'open' && !isDone) || (wanted === 'done' && isDone));
}
