// All filters with their counts, over the list. Each facet is counted as if it were not
// chosen itself, so that a second value of it can be added.

import {el, fill} from '../lib/dom.js';
import {hasText, number, t} from '../lib/i18n.js';
import {errorNote, skeleton} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {RISK_ICONS} from '../ui/signs.js';
import {toggled} from './state.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('../lib/resource.js').Loaded<{facets: import('./head.js').Facets, total: number, is_exact: boolean}>} Loaded */

const ORDER = ['status', 'risk', 'town', 'category', 'department', 'channel', 'urgency', 'flag'];
/** The parameter that a facet sets, where it has another name. @type {Record<string, string>} */
const PARAMETER = {town: 'area', source: 'channel'};
const SHORT = 8;

export const parameterOf = (/** @type {string} */ facet) => PARAMETER[facet] ?? facet;

/**
 * @param {HTMLElement} host
 * @param {{set: (patch: Partial<State>) => void, state: () => State, onClose: () => void, onClear: () => void, onRetry: () => void}} options
 */
export function createFacets(host, {set, state, onClose, onClear, onRetry}) {
  const body = el('div', {class: 'facets-body'});
  const days = el('div', {class: 'facet-days'});
  fill(host,
    el('header', {class: 'facets-head'}, el('h2', {tabindex: '-1'}, t('dispatch.filters')), el('span', {class: 'spacer'}),
      el('button', {type: 'button', class: 'link small', onclick: onClear}, t('queue.clear')),
      el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('action.close'), onclick: onClose}, icon('x'))),
    body);
  /** @type {Loaded | null} */
  let loaded = null;
  /** @type {Set<string>} */
  const long = new Set();

  /** @param {string} name @param {{value: string, name: string, count: number}[]} items */
  function group(name, items) {
    const parameter = /** @type {keyof State} */ (parameterOf(name));
    const chosen = String(state()[parameter] || '').split(',').filter(Boolean);
    const kept = items.filter(item => item.count > 0 || chosen.includes(item.value));
    if (!kept.length) return null;
    const most = Math.max(...kept.map(item => item.count), 1);
    const cut = long.has(name) ? kept : kept.filter((item, place) => place < SHORT || chosen.includes(item.value));
    return el('fieldset', {class: 'facet', data: {facet: name}}, el('legend', null, t(`facet.${name}`)),
      ...cut.map(item => {
        const isOn = chosen.includes(item.value);
        const bar = el('i', {class: 'facet-bar', 'aria-hidden': 'true', style: {width: `${Math.round((100 * item.count) / most)}%`}});
        return el('button', {type: 'button', class: 'facet-item', 'aria-pressed': String(isOn), data: {value: item.value},
          onclick: () => set({[parameter]: toggled(chosen.join(','), item.value)})},
        icon(isOn ? 'square-check' : 'square'), name === 'risk' && el('span', {class: `tone-${item.value}`}, icon(RISK_ICONS[item.value] ?? 'clock')),
        el('span', {class: 'facet-name ellipsis'}, nameOf(name, item)), el('span', {class: 'facet-count'}, number(item.count)), bar);
      }),
      kept.length > cut.length && el('button', {type: 'button', class: 'link small', onclick: () => { long.add(name); draw(); }}, t('dispatch.moreValues', {n: kept.length - cut.length})));
  }

  /** @param {string} facet @param {{value: string, name: string}} item */
  function nameOf(facet, item) {
    if (item.name && item.name !== item.value) return item.name;
    return hasText(`${facet}.${item.value}`) ? t(`${facet}.${item.value}`) : item.name || item.value;
  }

  function drawDays() {
    const {from, to} = state();
    const day = (/** @type {'from' | 'to'} */ name) => el('label', {class: 'facet-day'}, el('span', {class: 'muted small'}, t(`time.${name}`)),
      el('input', {type: 'date', class: 'input', value: state()[name], onchange: (/** @type {Event} */ event) => {
        const {value} = /** @type {HTMLInputElement} */ (event.target);
        const other = name === 'from' ? to || value : from || value;
        if (!value) set({from: '', to: ''});
        else set(name === 'from' ? {from: value, to: other < value ? value : other} : {from: other > value ? value : other, to: value});
      }}));
    fill(days, day('from'), day('to'));
  }

  function draw() {
    if (host.hidden) return;
    const held = document.activeElement?.closest('.facet-item');
    const [facet, value] = [held?.closest('.facet')?.getAttribute('data-facet'), held?.getAttribute('data-value')];
    if (!loaded?.value) {
      fill(body, loaded?.error ? errorNote(loaded.error, onRetry) : skeleton(6, 'line'));
      return;
    }
    const {facets} = loaded.value;
    const known = [...ORDER, ...Object.keys(facets).filter(name => !ORDER.includes(name))].filter(name => facets[name] && hasText(`facet.${name}`));
    drawDays();
    fill(body, ...known.map(name => group(name, facets[name])), el('fieldset', {class: 'facet'}, el('legend', null, t('facet.period')), days));
    if (facet) /** @type {HTMLElement | null} */ (body.querySelector(`[data-facet="${facet}"] [data-value="${value}"]`))?.focus();
  }

  return {
    /** @param {Loaded} next */
    show(next) {
      loaded = next;
      draw();
    },
    redraw: draw,
    open() {
      host.hidden = false;
      draw();
      /** @type {HTMLElement | null} */ (body.querySelector('.facet-item') ?? host.querySelector('h2'))?.focus();
    },
    close() { host.hidden = true; },
    isOpen: () => !host.hidden,
  };
}
