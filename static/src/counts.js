// How many people, by area. The server writes the table; script adds the map, follows
// choices at once, and checks a table of counts before it is sent.

import {createMap} from './map/create.js';
import {find, pageData} from './lib/dom.js';
import {setZone, useMessages} from './lib/i18n.js';
import {bindThemeSwitch} from './ui/theme-switch.js';
import {createOutline} from './planner/outline.js';
import {bindTables} from './counts/tables.js';
import {createKey, createTip} from './counts/key.js';
import commonZh from './messages/common.zh.js';
import commonEn from './messages/common.en.js';
import zh from './messages/counts.zh.js';
import en from './messages/counts.en.js';

/** @typedef {{code: string, name: string, bounds: [number, number, number, number]}} Area */

/** @type {{lang: 'zh' | 'en', csrf: string, tiles: Record<string, string>, me: {permissions: string[]},
 *   city: {bounds: [number, number, number, number], zone: string, attribution?: string},
 *   counts: {view: string, values: Record<string, number | string>, breaks: number[], area: Area | null, areas: Record<string, Area>, length: number}}} */
const page = pageData();
useMessages({zh: {...commonZh, ...zh}, en: {...commonEn, ...en}});
setZone(page.city.zone);
bindThemeSwitch();
document.documentElement.dataset.script = 'on';

const {counts} = page;
const picks = /** @type {HTMLFormElement | null} */ (document.querySelector('#picks'));
picks?.addEventListener('change', () => picks.requestSubmit());
const send = /** @type {HTMLFormElement | null} */ (document.querySelector('#send'));
if (send) bindTables(send, page.csrf);
if (document.querySelector('#map')) drawMap();

/** The area of the table that a duty grid lies in. @param {string | undefined} grid */
const areaOf = grid => (grid ? counts.areas[grid.slice(0, counts.length)] : undefined);

function drawMap() {
  const tip = createTip(find('#tip'));
  const rows = new Map([...document.querySelectorAll('tr[data-code]')].map(row => [row.getAttribute('data-code') ?? '', row]));
  const map = createMap(find('#map'), {
    tiles: page.tiles.base, grid: page.tiles.grid ?? null, lang: page.lang, bounds: counts.area?.bounds ?? page.city.bounds, room: page.city.bounds,
    attribution: page.city.attribution,
    onHover: hit => {
      const area = areaOf(hit?.grid?.code);
      rows.forEach((row, code) => row.classList.toggle('is-pointed', code === area?.code));
      tip.show(hit && area ? {x: hit.x, y: hit.y, name: area.name, value: counts.values[hit.grid?.code ?? '']} : null);
    },
    onClick: ({grid}) => {
      const link = rows.get(areaOf(grid?.code)?.code ?? '')?.querySelector('a');
      if (link) location.assign(link.href);
    },
  });
  map.setFigures({values: counts.values, breaks: counts.breaks});
  if (counts.area) createOutline(map.leaflet).show(counts.area.code);
  createKey(find('#legend'), counts);
}
