// Layers of the one map, as the registry gives them: what there is, how many, how old.

import {el, fill} from '../lib/dom.js';
import {compact, dateText, t} from '../lib/i18n.js';
import {errorNote, skeleton} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {swatchOf} from '../ui/symbols.js';

/** A layer that never changed says an instant long ago. */
const NEVER = Date.UTC(2000, 0, 1);
/** Layers whose meaning the map's own legend tells. */
const OWN_LEGEND = new Set(['incident', 'grid', 'base']);

/** @typedef {import('../map/thematic.js').LayerInfo} LayerInfo */

/**
 * @param {HTMLElement} host
 * @param {{onToggle: (id: string, isOn: boolean) => void, onClose: () => void, onRetry: () => void, zoom: () => number}} options
 */
export function createLayersPanel(host, {onToggle, onClose, onRetry, zoom}) {
  const body = el('div', {class: 'panel-body layers-body'});
  fill(host, el('header', {class: 'panel-head'}, el('h2', null, t('layers.title')),
    el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('action.close'), onclick: onClose}, icon('x'))), body);

  /** @type {LayerInfo[]} */
  let layers = [];
  /** @type {Set<string>} */
  let on = new Set();
  /** @type {Map<string, {loading: number, failed: number}>} */
  const states = new Map();
  /** @type {Map<string, HTMLElement>} */
  const signs = new Map();

  /** @param {LayerInfo} layer */
  function rowOf(layer) {
    const isOn = on.has(layer.id);
    const sign = el('span', {class: 'layer-sign'});
    signs.set(layer.id, sign);
    const node = el('div', {class: 'layer'},
      el('label', {class: 'layer-row', title: layer.as_of && Date.parse(layer.as_of) > NEVER ? t('layers.asOf', {at: dateText(layer.as_of, 'minute')}) : null},
        el('input', {type: 'checkbox', checked: isOn, onchange: (/** @type {Event} */ event) => onToggle(layer.id, /** @type {HTMLInputElement} */ (event.target).checked)}),
        el('span', {class: 'layer-name'}, layer.title), sign,
        el('span', {class: 'layer-count'}, layer.count === null || layer.count === undefined ? '' : compact(layer.count))),
      isOn && detailOf(layer));
    drawSign(layer.id);
    return node;
  }

  /** @param {LayerInfo} layer */
  function detailOf(layer) {
    // Cases are drawn by their risk, which the map's legend explains.
    const legend = OWN_LEGEND.has(layer.id) ? [] : (layer.legend ?? []).filter(entry => entry.label);
    // Our tiles are 512 pixels wide: the map at zoom z reads tiles of z - 1.
    const isTooFar = !OWN_LEGEND.has(layer.id) && zoom() - 1 < (layer.detail_zoom ?? layer.min_zoom);
    if (!(legend.length > 1) && !isTooFar) return null;
    return el('div', {class: 'layer-detail'},
      legend.length > 1 && el('ul', {class: 'layer-legend'}, ...legend.map(entry => el('li', null, swatchOf(layer, entry.value), entry.label))),
      isTooFar && el('p', {class: 'small layer-far'}, icon('zoom-in'), t('layers.far')));
  }

  /** @param {string} id */
  function drawSign(id) {
    const sign = signs.get(id);
    if (!sign) return;
    const state = on.has(id) ? states.get(id) : undefined;
    fill(sign, state?.failed ? el('span', {class: 'tone-late', title: t('layers.failed')}, icon('alert-triangle', {label: t('layers.failed')}))
      : state?.loading ? icon('loader-2', {class: 'spin', label: t('layers.loading')}) : null);
  }

  /** How old the oldest of the shown layers is. */
  function asOf() {
    const times = layers.filter(layer => on.has(layer.id) && layer.as_of).map(layer => Date.parse(/** @type {string} */ (layer.as_of))).filter(time => time > NEVER);
    return times.length ? el('p', {class: 'muted small layers-age'}, t('layers.asOf', {at: dateText(Math.min(...times), 'minute')})) : null;
  }

  function draw() {
    signs.clear();
    /** @type {Map<string, LayerInfo[]>} */
    const groups = new Map();
    for (const layer of layers) groups.set(layer.group, [...(groups.get(layer.group) ?? []), layer]);
    const held = /** @type {HTMLElement | null} */ (document.activeElement)?.closest('.layer')?.querySelector('.layer-name')?.textContent;
    fill(body, ...[...groups].map(([group, members]) => el('fieldset', {class: 'layer-group'}, el('legend', null, group), ...members.map(rowOf))), asOf());
    if (held) [...body.querySelectorAll('.layer')].find(node => node.querySelector('.layer-name')?.textContent === held)?.querySelector('input')?.focus();
  }

  return {
    /** @param {import('../lib/resource.js').Loaded<LayerInfo[]>} state */
    show(state) {
      if (state.value) {
        layers = state.value.filter(layer => layer.id !== 'base');
        draw();
      } else if (state.error) fill(body, errorNote(state.error, onRetry));
      else fill(body, skeleton(5, 'line'));
    },
    /** @param {Iterable<string>} ids */
    setOn(ids) {
      on = new Set(ids);
      if (layers.length) draw();
    },
    /** @param {string} id @param {{loading: number, failed: number}} state */
    setState(id, state) {
      states.set(id, state);
      drawSign(id);
    },
    refresh: draw,
  };
}
