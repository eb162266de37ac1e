// Duty grids coloured by the share of entries that fail the rules of a page.

import {find} from '../lib/dom.js';
import {lang, number, t} from '../lib/i18n.js';
import {createKey, createTip} from '../counts/key.js';
import {createMap} from '../map/create.js';
import {createOutline} from '../planner/outline.js';

/** @param {number | string | undefined} value */
const percent = value => (typeof value === 'number' ? `${number(Math.round(value * 10) / 10)}%` : t('quality.notAsked'));

/** @param {HTMLElement} host @param {any} page */
export function showQuality(host, page) {
  const {quality} = page;
  host.hidden = false;
  const tip = createTip(find('#tip'), percent);
  const rows = new Map([...document.querySelectorAll('tr[data-code]')].map(row => [row.getAttribute('data-code') ?? '', row]));
  /** @param {string | undefined} grid */
  const areaOf = grid => (grid ? quality.areas[grid.slice(0, quality.length)] : undefined);
  const map = createMap(host, {
    tiles: page.tiles.base, grid: page.tiles.grid ?? null, lang: lang(), bounds: quality.area?.bounds ?? page.city.bounds, room: page.city.bounds,
    attribution: page.city.attribution,
    onHover: hit => {
      const area = areaOf(hit?.grid?.code);
      rows.forEach((row, code) => row.classList.toggle('is-pointed', code === area?.code));
      tip.show(hit?.grid && area ? {x: hit.x, y: hit.y, name: area.name, value: quality.values[hit.grid.code]} : null);
    },
    onClick: ({grid}) => {
      const link = rows.get(areaOf(grid?.code)?.code ?? '')?.querySelector('a');
      if (link) location.assign(link.href);
    },
  });
  map.setFigures({values: quality.values, breaks: quality.breaks});
  if (quality.area) createOutline(map.leaflet).show(quality.area.code);
  createKey(find('#legend'), quality, {title: t('quality.key'), write: percent});
}
