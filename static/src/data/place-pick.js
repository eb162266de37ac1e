// A map on which somebody points at a place; the two fields of the form carry it.

import {circleMarker} from 'leaflet';
import {lang} from '../lib/i18n.js';
import {createMap} from '../map/create.js';

const NEAR = 17;
const WHOLE = 13;

/** @param {HTMLElement} host @param {any} page */
export function startPick(host, page) {
  const form = /** @type {HTMLFormElement} */ (host.closest('form'));
  const [lon, lat] = ['lon', 'lat'].map(name => /** @type {HTMLInputElement} */ (form.elements.namedItem(name)));
  const [west, south, east, north] = page.city.bounds;
  const known = page.pick.lon !== undefined;
  host.hidden = false;
  const map = createMap(host, {
    tiles: page.tiles.base, lang: lang(), bounds: page.city.bounds, attribution: page.city.attribution,
    center: known ? [page.pick.lon, page.pick.lat] : [(west + east) / 2, (south + north) / 2], zoom: known ? NEAR : WHOLE,
  }).leaflet;
  const mark = circleMarker([0, 0], {radius: 9, className: 'place-mark'});
  const show = () => {
    const [x, y] = [Number(lon.value), Number(lat.value)];
    const isPoint = lon.value.trim() !== '' && lat.value.trim() !== '' && Number.isFinite(x) && Number.isFinite(y);
    if (isPoint) mark.setLatLng([y, x]).addTo(map);
    else mark.remove();
  };
  map.on('click', event => {
    lon.value = event.latlng.lng.toFixed(6);
    lat.value = event.latlng.lat.toFixed(6);
    show();
  });
  for (const input of [lon, lat]) input.addEventListener('input', show);
  show();
}
