// Beside the map: what its marks mean, whether the queue follows it, and the cases of the
// part that is shown as a list, for those who do not see marks or do not use a mouse.

import {timeLeft} from '../lib/dates.js';
import {el, fill} from '../lib/dom.js';
import {number, t} from '../lib/i18n.js';
import {icon} from '../ui/icon.js';
import {markList} from '../ui/symbols.js';

/** @typedef {import('./rows.js').Row} Row */

const LISTED = 50;
const RISKS = ['late', 'soon', 'ok', 'paused'];

/**
 * @param {HTMLElement} host
 * @param {{inView: () => Row[], now: () => number, onOpen: (row: Row) => void, onFollow: () => void, onHome: () => void}} options
 */
export function createPlaces(host, {inView, now, onOpen, onFollow, onHome}) {
  const list = el('div', {class: 'places card', hidden: true});
  const button = el('button', {type: 'button', class: 'btn btn-small', id: 'places', 'aria-expanded': 'false', onclick: toggle}, icon('list'), t('dispatch.places'));
  const follow = el('button', {type: 'button', class: 'btn btn-small', id: 'follow', 'aria-pressed': 'false', onclick: onFollow}, icon('focus-2'), t('dispatch.follow'));
  const home = el('button', {type: 'button', class: 'btn btn-small', onclick: onHome}, icon('home'), t('dispatch.home'));
  const legend = el('div', {class: 'map-legend card'});
  const shown = el('span', {class: 'muted small'});
  fill(host, el('div', {class: 'map-buttons'}, button, follow, home), list, legend);

  function toggle() {
    list.hidden = !list.hidden;
    button.setAttribute('aria-expanded', String(!list.hidden));
    draw();
    if (!list.hidden) /** @type {HTMLElement | null} */ (list.querySelector('button'))?.focus();
  }

  function draw() {
    if (list.hidden) return;
    const rows = inView();
    fill(list, el('h2', null, t('dispatch.places.title', {n: rows.length})),
      rows.length ? el('ul', null, ...rows.slice(0, LISTED).map(row => {
        const left = timeLeft(row, now());
        return el('li', null, el('button', {type: 'button', class: 'mini-row', onclick: () => onOpen(row)}, el('span', {class: `mini-bar is-${left.risk}`}),
          el('span', {class: 'ellipsis'}, `${row.category.name} · ${row.address || row.grid?.name || ''}`), el('span', {class: ['nowrap', `tone-${left.risk}`]}, left.text)));
      })) : el('p', {class: 'muted small'}, t('dispatch.places.none')));
  }

  list.addEventListener('keydown', event => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    toggle();
    button.focus();
  });

  function drawLegend() {
    fill(legend, markList(RISKS, risk => t(`risk.${risk}`)), shown);
  }
  drawLegend();

  return {
    redraw: draw,
    recolour: drawLegend,
    /** @param {number} n @param {number} total */
    setShown(n, total) { shown.textContent = n < total ? t('dispatch.places.shown', {n: number(n), total: number(total)}) : ''; },
    setFollowing: (/** @type {boolean} */ isOn) => follow.setAttribute('aria-pressed', String(isOn)),
  };
}
