// How far off a place may be, drawn around it: what the phone said of its position.

import {Circle} from 'leaflet';
import {onTheme, token} from '../lib/theme.js';

/** @param {import('leaflet').Map} map @param {{lon: number, lat: number, accuracy_m?: number | null}} place */
export function drawRing(map, {lon, lat, accuracy_m}) {
  if (!accuracy_m) return;
  const look = () => ({color: token('brand'), weight: 1.5, fillColor: token('brand'), fillOpacity: 0.12, interactive: false, className: 'accuracy-ring'});
  const ring = new Circle([lat, lon], {radius: accuracy_m, ...look()}).addTo(map);
  onTheme(() => ring.setStyle(look()));
  if (!map.getBounds().contains(ring.getBounds())) map.fitBounds(ring.getBounds(), {animate: false});
}
