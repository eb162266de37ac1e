// Above the queue: what it holds, in which order, the trays of the day, the limits by time,
// and every filter that is on with its way out.

import {el, fill} from '../lib/dom.js';
import {dayText, hasText, number, t} from '../lib/i18n.js';
import {icon} from '../ui/icon.js';
import {RISK_ICONS} from '../ui/signs.js';
import {FILTERS, isFiltered, toggled} from './state.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {Record<string, {value: string, name: string, count: number}[]>} Facets */

const RISKS = ['late', 'soon', 'ok', 'paused'];

/**
 * @param {HTMLElement} host
 * @param {{turn: string, set: (patch: Partial<State>) => void, onClear: () => void, onFacets: () => void, onSaved: (anchor: HTMLElement) => void, names: (kind: string, value: string) => string}} options
 */
export function createHead(host, {turn, set, onClear, onFacets, onSaved, names}) {
  const count = el('span', {class: 'queue-count'});
  const link = el('span', {class: 'link-state'});
  const trays = el('div', {class: 'trays', role: 'group', 'aria-label': t('dispatch.trays')});
  const sorts = el('div', {class: 'segmented', role: 'group', 'aria-label': t('dispatch.sort')});
  const risks = el('div', {class: 'chips', role: 'group', 'aria-label': t('queue.byRisk')});
  const applied = el('div', {class: 'applied', hidden: true});
  const more = el('button', {type: 'button', class: 'btn btn-small', id: 'open-facets', 'aria-expanded': 'false', onclick: onFacets}, icon('adjustments'), t('dispatch.filters'));
  const saved = el('button', {type: 'button', class: 'btn btn-small', id: 'open-saved', 'aria-haspopup': 'true', 'aria-expanded': 'false', onclick: () => onSaved(saved)}, icon('star'), t('dispatch.saved'));
  fill(host,
    el('div', {class: 'queue-title'}, el('h2', null, t('dispatch.list')), count, el('span', {class: 'spacer'}), link, more, saved),
    el('div', {class: 'queue-bar'}, trays, el('span', {class: 'spacer'}), sorts),
    risks,
    applied);

  /** @param {Facets} facets @param {string} kind @param {string} value */
  const countOf = (facets, kind, value) => facets[kind]?.find(item => item.value === value)?.count ?? 0;

  return {
    /** @param {State} state @param {Facets} facets @param {{total: number, isExact: boolean, isKnown: boolean}} sum */
    show(state, facets, sum) {
      count.textContent = sum.isKnown ? `${number(sum.total)}${sum.isExact ? '' : '+'}` : '';
      const mine = turn.split(',').reduce((n, status) => n + countOf(facets, 'status', status), 0);
      const tray = (/** @type {string} */ label, /** @type {string} */ status, /** @type {number | null} */ n) => el('button', {type: 'button', class: 'tray', 'aria-pressed': String(state.status === status),
        onclick: () => set({status})}, label, n !== null && el('b', null, number(n)));
      fill(trays, turn && tray(t('dispatch.mine'), turn, facets.status ? mine : null), tray(t('dispatch.open'), '', null), tray(t('dispatch.all'), 'all', null));
      fill(sorts, ...(/** @type {const} */ (['risk', 'new'])).map(name => el('button', {type: 'button', 'aria-pressed': String(state.sort === name), onclick: () => set({sort: name})}, t(`dispatch.sort.${name}`))));
      const on = state.risk ? state.risk.split(',') : [];
      fill(risks, ...RISKS.filter(name => on.includes(name) || countOf(facets, 'risk', name) > 0).map(name => el('button', {type: 'button', class: ['chip', `chip-${name}`], 'aria-pressed': String(on.includes(name)),
        onclick: () => set({risk: toggled(state.risk, name)})}, icon(RISK_ICONS[name]), t(`risk.${name}`), facets.risk && el('b', null, number(countOf(facets, 'risk', name))))));
      drawApplied(state);
    },
    /** @param {boolean} isOpen */
    setFacets: isOpen => more.setAttribute('aria-expanded', String(isOpen)),
    /** @param {boolean} isOpen */
    setSaved: isOpen => saved.setAttribute('aria-expanded', String(isOpen)),
    facetsButton: more,
    savedButton: saved,
    /** @param {'live' | 'polling' | 'offline'} state @param {string} detail */
    setLink(state, detail) {
      link.className = `link-state is-${state}`;
      link.title = detail;
      fill(link, el('i'), t(`live.${state}`));
    },
  };

  /** @param {State} state */
  function drawApplied(state) {
    const words = wordsOf(state, names, turn);
    applied.hidden = !isFiltered(state) || !words.length;
    fill(applied, ...words.map(({text, patch}) => el('button', {type: 'button', class: 'chip', 'aria-pressed': 'true', 'aria-label': t('queue.drop', {what: text}), onclick: () => set(patch)}, text, icon('x'))),
      el('button', {type: 'button', class: 'link small', onclick: onClear}, t('queue.clear')));
  }
}

/**
 * Every value that limits the queue, in words; trays and limits by time have their own buttons.
 *
 * @param {State} state
 * @param {(kind: string, value: string) => string} names
 * @param {string} turn
 * @returns {{text: string, patch: Partial<State>}[]}
 */
export function wordsOf(state, names, turn) {
  const words = [];
  for (const name of FILTERS) {
    const value = state[name];
    if (!value || name === 'risk' || name === 'to') continue;
    if (name === 'status' && (value === 'all' || value === turn)) continue;
    if (name === 'q') words.push({text: t('filter.text', {text: value}), patch: {q: ''}});
    else if (name === 'bbox') words.push({text: t('dispatch.inView'), patch: {bbox: ''}});
    else if (name === 'from') words.push({text: state.from === state.to ? dayText(value) : `${dayText(value)} – ${dayText(state.to)}`, patch: {from: '', to: ''}});
    else for (const one of value.split(',')) words.push({text: textOf(name, one, names), patch: {[name]: toggled(value, one)}});
  }
  return words;
}

/** @param {string} kind @param {string} value @param {(kind: string, value: string) => string} names */
function textOf(kind, value, names) {
  if (kind === 'status' && hasText(`status.${value}`)) return t(`status.${value}`);
  return names(kind, value) || value;
}
