// One box for cases, places, enterprises, grids, components and coordinates; names are
// found by pinyin too. Enter takes the words into the queue.

import {getJson, urlOf} from '../lib/api.js';
import {el, fill, uid} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {errorText} from './errors.js';
import {icon} from './icon.js';

const WAIT_MS = 220;
const SHOWN = 8;

/** @typedef {{title: string, hits: Hit[]}} Section  results of one type */
/** @typedef {{kind: string, kind_name: string, id: string, name: string, detail: string | null, lon: number | null, lat: number | null}} Hit */

/** @type {Record<string, string>} */
const HIT_ICONS = {incident: 'file-description', case: 'file-description', place: 'map-pin', area: 'map-2', address: 'home', building: 'building', enterprise: 'building-factory-2', premises: 'building-store', grid: 'layout-grid', component: 'bulb', facility: 'school', category: 'tag', road: 'road'};

/** Two numbers are a place: longitude first, or latitude first where only that makes sense. @param {string} text @param {[number, number, number, number]} bounds @returns {[number, number] | null} */
export function readCoordinates(text, bounds) {
  const match = /^\s*(-?\d{1,3}(?:\.\d+)?)\s*[,，\s]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(text);
  if (!match) return null;
  const [a, b] = [Number(match[1]), Number(match[2])];
  const [west, south, east, north] = bounds;
  const isIn = (/** @type {number} */ lon, /** @type {number} */ lat) => lon >= west && lon <= east && lat >= south && lat <= north;
  if (isIn(a, b)) return [a, b];
  return isIn(b, a) ? [b, a] : null;
}

/** Everything that the command center looks through, most fitting first. @param {string} text @returns {Promise<Section[]>} */
async function findAny(text) {
  const {items} = await getJson(urlOf('/api/search', {q: text}));
  return [{title: '', hits: items}];
}

/**
 * @param {HTMLElement} host
 * @param {{bounds: [number, number, number, number], onText: (text: string) => void, onHit: (hit: Hit) => void, onPlace: (lon: number, lat: number) => void,
 *   find?: (text: string) => Promise<Section[]>, hint?: string}} options  find: sections that have titles of their own
 */
export function createSearch(host, {bounds, onText, onHit, onPlace, find = findAny, hint = t('search.hint')}) {
  const listId = uid('found');
  const input = el('input', {type: 'search', class: 'search-input', placeholder: hint, 'aria-label': t('search.label'), autocomplete: 'off', spellcheck: 'false',
    role: 'combobox', 'aria-expanded': 'false', 'aria-controls': listId, 'aria-autocomplete': 'list'});
  const list = el('div', {class: 'menu search-menu', id: listId, role: 'listbox', 'aria-label': t('search.label'), hidden: true});
  fill(host, icon('search'), input, el('kbd', {'aria-hidden': 'true'}, '/'), list);

  /** @type {{node: HTMLElement, act: () => void}[]} */
  let options = [];
  let active = -1;
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function close() {
    list.hidden = true;
    options = [];
    active = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  /** @param {{node: HTMLElement, act: () => void}[]} next @param {Node | null} [note] */
  function show(next, note = null) {
    options = next;
    active = -1;
    fill(list, ...options.map(option => option.node), note);
    list.hidden = !options.length && !note;
    input.setAttribute('aria-expanded', String(!list.hidden));
  }

  /** @param {import('../lib/dom.js').Child[]} children @param {() => void} act */
  function option(children, act) {
    const run = () => { close(); input.blur(); act(); };
    const node = el('div', {id: uid('option'), class: 'menu-item search-item', role: 'option', 'aria-selected': 'false', onpointerdown: (/** @type {Event} */ event) => { event.preventDefault(); run(); }}, children);
    return {node, act: run};
  }

  async function look() {
    const text = input.value.trim();
    const mine = (asked += 1);
    if (!text) {
      close();
      return;
    }
    const place = readCoordinates(text, bounds);
    const fixed = place ? [option([icon('map-pin'), el('span', null, t('search.place', {lon: place[0], lat: place[1]}))], () => onPlace(...place))] : [];
    if (place) {
      show(fixed);
      return;
    }
    try {
      const sections = await find(text);
      if (mine !== asked || document.activeElement !== input) return;
      const all = option([icon('filter'), el('span', null, t('search.all', {text}))], () => onText(text));
      const known = sections.filter(section => section.hits.length);
      show(known.flatMap(sectionOptions).concat(all), known.length ? null : el('p', {class: 'muted small menu-note'}, t('search.none')));
    } catch (error) {
      if (mine === asked) show([], el('p', {class: 'menu-note'}, errorText(error)));
    }
  }

  /** @param {Section} section */
  const sectionOptions = section => section.hits.slice(0, SHOWN).map((hit, place) => hitOption(hit, place ? '' : section.title));

  /** @param {Hit} hit @param {string} title  of the section that begins here */
  const hitOption = (hit, title) => option([
    title && el('span', {class: 'search-title muted small'}, title),
    icon(HIT_ICONS[hit.kind] ?? 'map-pin'),
    el('span', {class: 'search-words'}, el('b', {class: 'ellipsis'}, hit.name), hit.detail && el('span', {class: 'muted small ellipsis'}, hit.detail)),
    el('span', {class: 'muted small nowrap'}, hit.kind_name)], () => onHit(hit));

  /** @param {number} by */
  function step(by) {
    if (!options.length) return;
    options[active]?.node.setAttribute('aria-selected', 'false');
    active = (active + by + options.length) % options.length;
    options[active].node.setAttribute('aria-selected', 'true');
    input.setAttribute('aria-activedescendant', options[active].node.id);
  }

  input.addEventListener('input', () => {
    asked += 1;  // what comes now answers words that stand here no more
    clearTimeout(timer);
    timer = setTimeout(look, WAIT_MS);
  });
  input.addEventListener('focus', () => { if (input.value.trim()) look(); });
  input.addEventListener('blur', close);
  input.addEventListener('search', () => { if (!input.value) onText(''); });
  input.addEventListener('keydown', event => {
    if (event.isComposing) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      step(event.key === 'ArrowDown' ? 1 : -1);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (active >= 0) options[active].act();
      else submit();
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      close();
      input.blur();
    }
  });

  function submit() {
    clearTimeout(timer);
    asked += 1;
    const text = input.value.trim();
    const place = readCoordinates(text, bounds);
    close();
    if (place) onPlace(...place);
    else onText(text);
  }

  return {
    focus() { input.focus(); input.select(); },
    /** @param {string} text */
    show(text) { if (document.activeElement !== input) input.value = text; },
  };
}
