// SI inside, people's units at the edge.

import {number, t} from './i18n.js';

/** @param {number} metres */
export function distanceText(metres) {
  if (metres < 1000) return `${number(Math.round(metres / 10) * 10)} m`;
  return `${number(metres / 1000, metres < 10_000 ? 1 : 0)} km`;
}

/** @param {number} bytes */
export function sizeText(bytes) {
  if (bytes < 1024) return t('unit.bytes', {n: bytes});
  const [value, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'KB'] : bytes < 1024 ** 3 ? [bytes / 1024 ** 2, 'MB'] : [bytes / 1024 ** 3, 'GB'];
  return `${number(value, value < 10 ? 1 : 0)} ${unit}`;
}

const EARTH_RADIUS_M = 6_371_008.8;

/**
 * Great-circle distance in metres; enough for "how far", not for law.
 *
 * @param {[number, number]} a  longitude, latitude
 * @param {[number, number]} b
 */
export function distanceM(a, b) {
  const rad = Math.PI / 180;
  const [dx, dy] = [(b[0] - a[0]) * rad, (b[1] - a[1]) * rad];
  const h = Math.sin(dy / 2) ** 2 + Math.cos(a[1] * rad) * Math.cos(b[1] * rad) * Math.sin(dx / 2) ** 2;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h)));
}
