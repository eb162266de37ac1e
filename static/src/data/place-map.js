// A small map of the place that a page speaks about.

import {circleMarker} from 'leaflet';
import {lang} from '../lib/i18n.js';
import {createMap} from '../map/create.js';

const ZOOM = 17;

/** @param {HTMLElement} host @param {any} page */
export function showPlace(host, page) {
  const {lon, lat} = page.place;
  host.hidden = false;
  const map = createMap(host, {
    tiles: page.tiles.base, lang: lang(), bounds: page.city.bounds, center: [lon, lat], zoom: ZOOM, attribution: page.city.attribution,
  });
  circleMarker([lat, lon], {radius: 9, className: 'place-mark'}).addTo(map.leaflet);
}
