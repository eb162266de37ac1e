// Outlines that are not valid, as they came and as they become when repaired: nobody repairs unseen.

import {Polygon, Polyline, latLngBounds} from 'leaflet';
import {lang} from '../lib/i18n.js';
import {onTheme, token} from '../lib/theme.js';
import {createMap} from '../map/create.js';

/** @typedef {[number, number][]} Ring  longitude, latitude */

/** @param {Ring[]} rings @returns {[number, number][][]} */
const turned = rings => rings.map(ring => ring.map(([lon, lat]) => [lat, lon]));

/** @param {HTMLElement} host @param {any} page */
export function startRepairs(host, page) {
  /** @type {{row: number, before: Ring[], after: Ring[]}[]} */
  const outlines = page.import.outlines ?? [];
  if (!outlines.length) return;
  host.hidden = false;
  document.getElementById('repair-key')?.removeAttribute('hidden');
  const around = (/** @type {Ring[]} */ rings) => latLngBounds(turned(rings).flat()).pad(0.6);
  const first = around(outlines[0].before);
  const {leaflet} = createMap(host, {
    tiles: page.tiles.base, lang: lang(), room: page.city.bounds, attribution: page.city.attribution,
    bounds: [first.getWest(), first.getSouth(), first.getEast(), first.getNorth()],
  });
  const before = () => ({color: token('late'), weight: 2, dashArray: '6 4', fill: false, interactive: false});
  const after = () => ({color: token('ok'), weight: 1.5, fillColor: token('ok'), fillOpacity: 0.3, interactive: false});
  for (const outline of outlines) {
    const now = new Polygon(turned(outline.after), after()).addTo(leaflet);
    const then = new Polyline(turned(outline.before), before()).addTo(leaflet);
    onTheme(() => { now.setStyle(after()); then.setStyle(before()); });
    const row = document.querySelector(`tr[data-outline="${outline.row}"]`);
    row?.addEventListener('click', () => leaflet.fitBounds(around(outline.before)));
  }
}
