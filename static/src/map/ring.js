// How far off a place may be, drawn around it: what the phone said of its position.

import {Circle} from 'leaflet';
import {onTheme, token} from '../lib/theme.js';

/** @typedef {{lon: number, lat: number, accuracy_m?: number | null}} Rough */

const look = () => ({color: token('brand'), weight: 1.5, fillColor: token('brand'), fillOpacity: 0.12, interactive: false, className: 'accuracy-ring'});

/** @param {import('leaflet').Map} map @param {Rough} place */
export function drawRing(map, place) {
  const ring = createRing(map).show(place);
  if (ring && !map.getBounds().contains(ring.getBounds())) map.fitBounds(ring.getBounds(), {animate: false});
}

/** The ring of one place at a time, on a map whose cases come and go. @param {import('leaflet').Map} map */
export function createRing(map) {
  /** @type {Circle | null} */
  let ring = null;
  onTheme(() => ring?.setStyle(look()));

  /** @param {Rough | null} place  one whose place is certain has none @returns {Circle | null} */
  function show(place) {
    ring?.remove();
    ring = place?.accuracy_m ? new Circle([place.lat, place.lon], {radius: place.accuracy_m, ...look()}).addTo(map) : null;
    return ring;
  }

  return {show};
}
