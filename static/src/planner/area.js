// The way down the tree of areas: each level is a list that offers the next one.

import {getJson, urlOf} from '../lib/api.js';
import {el, fill} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {errorText} from '../ui/errors.js';

/** @typedef {{code: string, name: string, level: number, bounds: [number, number, number, number], has_children: boolean}} Area */

/**
 * @param {HTMLElement} host
 * @param {{roots: Area[], onChoose: (area: Area) => void}} options
 */
export function createAreaChoice(host, {roots, onChoose}) {
  /** @type {Map<string, Area[]>} */
  const children = new Map();
  let drawn = '';

  /** @param {string} parent @returns {Promise<Area[]>} */
  async function under(parent) {
    const known = children.get(parent) ?? await getJson(urlOf('/api/areas', {parent}));
    children.set(parent, known);
    return known;
  }

  /** @param {Area | null} above @param {Area[]} options @param {string} chosen */
  function row(above, options, chosen) {
    const level = options[0].level;
    const select = el('select', {class: 'input', 'aria-label': t(`area.${level}`), onchange: () => {
      const found = options.find(one => one.code === select.value) ?? above;
      if (found) onChoose(found);
    }}, above && el('option', {value: ''}, t('area.all', {n: options.length})), ...options.map(one => el('option', {value: one.code}, one.name)));
    select.value = chosen;
    return el('label', {class: 'area-row'}, el('span', null, t(`area.${level}`)), select);
  }

  /** @param {string} code */
  async function show(code) {
    if (code === drawn) return;
    drawn = code;
    try {
      const root = roots.find(one => code.startsWith(one.code)) ?? roots[0];
      if (!root) return;
      const lists = [row(null, roots, root.code)];
      let above = root;
      while (above.has_children) {
        const options = await under(above.code);
        if (!options.length) break;
        const next = options.find(one => code.startsWith(one.code));
        lists.push(row(above, options, next?.code ?? ''));
        if (!next) break;
        above = next;
      }
      if (drawn === code) fill(host, ...lists);
    } catch (error) {
      drawn = '';
      fill(host, el('p', {class: 'field-error'}, errorText(error)));
    }
  }

  return {show};
}
