// City › town › community: where the page looks, and how to look elsewhere.

import {getJson, urlOf} from '../lib/api.js';
import {el, fill} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {errorText} from './errors.js';
import {icon} from './icon.js';

/** @typedef {{code: string, name: string, bounds?: [number, number, number, number] | null}} Area */

/**
 * @param {HTMLElement} host
 * @param {{root: Area, onChoose: (area: Area) => void}} options
 */
export function createCrumbs(host, {root, onChoose}) {
  /** @type {Map<string, Area[]>} */
  const children = new Map();
  /** @type {Area[]} */
  let path = [root];
  const menu = el('div', {class: 'menu', hidden: true, role: 'menu'});
  const names = el('div', {class: 'crumb-names'});
  fill(host, names, menu);

  /** @param {string} parent */
  async function under(parent) {
    const known = children.get(parent);
    if (known) return known;
    const answer = await getJson(urlOf('/api/areas', {parent}));
    const areas = Array.isArray(answer) ? answer : answer.items ?? [];
    children.set(parent, areas);
    return areas;
  }

  function draw() {
    const last = path.length - 1;
    fill(names, ...path.flatMap((area, place) => [
      place > 0 && el('span', {class: 'crumb-sep', 'aria-hidden': 'true'}, '›'),
      el('button', {type: 'button', class: ['crumb', place === last && 'is-last'], 'aria-current': place === last ? 'location' : null,
        onclick: () => onChoose(area)}, area.name),
    ]), last < 2 && el('button', {type: 'button', class: 'icon-btn', 'aria-haspopup': 'menu', 'aria-expanded': String(!menu.hidden), 'aria-label': t('area.choose'), title: t('area.choose'), onclick: toggle}, icon('chevron-down')));
  }

  async function toggle() {
    if (!menu.hidden) {
      close();
      return;
    }
    menu.hidden = false;
    draw();
    fill(menu, el('p', {class: 'muted small menu-note'}, t('area.loading')));
    try {
      const areas = await under(path[path.length - 1].code);
      fill(menu, ...areas.map((/** @type {Area} */ area) => el('button', {type: 'button', role: 'menuitem', class: 'menu-item', onclick: () => { close(); onChoose(area); }}, area.name)),
        !areas.length && el('p', {class: 'muted small menu-note'}, t('area.none')));
      menu.querySelector('button')?.focus();
    } catch (error) {
      fill(menu, el('p', {class: 'menu-note'}, errorText(error)));
    }
  }

  function close() {
    if (menu.hidden) return;
    menu.hidden = true;
    draw();
  }

  document.addEventListener('pointerdown', event => {
    if (!host.contains(/** @type {Node} */ (event.target))) close();
  });
  host.addEventListener('keydown', event => {
    if (event.key === 'Escape' && !menu.hidden) {
      event.stopPropagation();
      close();
    }
  });
  draw();

  return {
    /** Show the way to an area; names come from the server where they are not known. @param {string} code */
    async show(code) {
      if (!code || code === root.code) path = [root];
      else {
        const way = [9, 12].filter(length => code.length >= length && length > root.code.length).map(length => code.slice(0, length));
        const found = [root];
        for (const step of way) {
          const options = await under(found[found.length - 1].code).catch(() => []);
          found.push(options.find((/** @type {Area} */ area) => area.code === step) ?? {code: step, name: step});
        }
        path = found;
      }
      draw();
      return path[path.length - 1];
    },
  };
}
