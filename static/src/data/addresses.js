// Candidates of an address on a map; the one under the pointer or the focus is the large one.

import {CircleMarker} from 'leaflet';
import {lang} from '../lib/i18n.js';
import {token} from '../lib/theme.js';
import {createMap} from '../map/create.js';

/** @typedef {{lon: number, lat: number, text: string}} Candidate */

/** @param {HTMLElement} host @param {{city: any, candidates?: Candidate[]}} data */
export function startAddresses(host, data) {
  const candidates = data.candidates ?? [];
  if (!candidates.length) return;
  host.hidden = false;
  const best = candidates[0];
  const map = createMap(host, {lang: lang(), bounds: data.city.bounds, center: [best.lon, best.lat], zoom: 16, attribution: data.city.attribution}).leaflet;
  const dots = candidates.map((one, place) => new CircleMarker([one.lat, one.lon], {radius: place ? 7 : 10, color: token('panel'), weight: 2, fillColor: token(place ? 'muted' : 'brand'), fillOpacity: 1}).bindTooltip(one.text).addTo(map));
  const items = document.querySelectorAll('#candidates > li');
  for (const item of items) {
    const look = () => {
      const place = Number(/** @type {HTMLElement} */ (item).dataset.at);
      items.forEach(other => other.classList.toggle('is-here', other === item));
      dots.forEach((dot, k) => dot.setRadius(k === place ? 11 : 7));
      map.panTo([candidates[place].lat, candidates[place].lon]);
    };
    item.addEventListener('pointerenter', look);
    item.addEventListener('click', look);
  }
}
