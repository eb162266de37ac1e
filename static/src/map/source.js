// Vector tiles over HTTP: what is empty is empty, what fails is told, and names of
// roads that were drawn in many pieces are joined so that they can be labelled.

import {VectorTile} from '@mapbox/vector-tile';
import Pbf from 'pbf';
import {mergeLines} from './merge.js';

/** @typedef {import('protomaps-leaflet').Feature} Feature */
/** @typedef {import('protomaps-leaflet').Zxy} Zxy */

/** The layer that mergeLines() makes of `roads` for labels. */
export const ROAD_NAMES = 'road_names';

/**
 * @param {string} url  with {z}, {x} and {y}
 * @param {{bounds?: [number, number, number, number] | null, onState?: (state: {loading: number, failed: number}) => void}} [options]
 */
export function createSource(url, {bounds = null, onState} = {}) {
  const state = {loading: 0, failed: 0};

  /** @param {Zxy} tile @param {number} tileSize @returns {Promise<Map<string, Feature[]>>} */
  async function get(tile, tileSize) {
    if (bounds && !touches(tile, bounds)) return new Map();
    state.loading += 1;
    onState?.(state);
    try {
      const features = await load(tile, tileSize);
      state.failed = 0;
      return features;
    } catch (error) {
      state.failed += 1;
      throw error;
    } finally {
      state.loading -= 1;
      onState?.(state);
    }
  }

  /** @param {Zxy} tile @param {number} tileSize */
  async function load({z, x, y}, tileSize) {
    const address = url.replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y));
    const response = await inTurn(() => patiently(address));
    if (response.status === 204 || response.status === 404) return new Map();
    if (!response.ok) throw new Error(`tile ${z}/${x}/${y}: ${response.status}`);
    const bytes = await response.arrayBuffer();
    return bytes.byteLength ? parseTile(bytes, tileSize) : new Map();
  }

  return {get};
}

/** Tiles that are fetched at once: over HTTP/2 a browser would send a whole screen of them. */
const AT_ONCE = 6;
let underWay = 0;
/** @type {(() => void)[]} */
const line = [];

/** Run when it is this one's turn. @template T @param {() => Promise<T>} run @returns {Promise<T>} */
async function inTurn(run) {
  if (underWay >= AT_ONCE) await new Promise(resolve => { line.push(() => resolve(undefined)); });
  underWay += 1;
  try {
    return await run();
  } finally {
    underWay -= 1;
    line.shift()?.();
  }
}

/** Ask again, a little later each time, where the server says "not now". @param {string} address */
async function patiently(address) {
  for (let attempt = 0; ; attempt += 1) {
    const response = await fetch(address, {credentials: 'same-origin'});
    if ((response.status !== 429 && response.status !== 503) || attempt >= 3) return response;
    await new Promise(resolve => { setTimeout(resolve, 400 * 2 ** attempt); });
  }
}

/**
 * @param {ArrayBuffer} bytes
 * @param {number} tileSize
 * @returns {Map<string, Feature[]>}
 */
export function parseTile(bytes, tileSize) {
  const tile = new VectorTile(new Pbf(bytes));
  /** @type {Map<string, Feature[]>} */
  const layers = new Map();
  for (const [name, layer] of Object.entries(tile.layers)) {
    const features = [];
    for (let place = 0; place < layer.length; place += 1) features.push(featureOf(layer.feature(place), tileSize / layer.extent));
    layers.set(name, features);
  }
  const roads = layers.get('roads');
  if (roads) layers.set(ROAD_NAMES, mergeLines(roads));
  return layers;
}

/** @param {import('@mapbox/vector-tile').VectorTileFeature} raw @param {number} scale @returns {Feature} */
function featureOf(raw, scale) {
  const geom = raw.loadGeometry();
  const bbox = {minX: Infinity, minY: Infinity, maxX: -Infinity, maxY: -Infinity};
  let numVertices = 0;
  for (const part of geom) {
    numVertices += part.length;
    for (const point of part) {
      point.x *= scale;
      point.y *= scale;
      if (point.x < bbox.minX) bbox.minX = point.x;
      if (point.x > bbox.maxX) bbox.maxX = point.x;
      if (point.y < bbox.minY) bbox.minY = point.y;
      if (point.y > bbox.maxY) bbox.maxY = point.y;
    }
  }
  return /** @type {any} */ ({id: raw.id, geomType: raw.type, geom, bbox, numVertices, props: raw.properties});
}

/** Whether a tile meets a box of west, south, east, north. @param {Zxy} tile @param {[number, number, number, number]} bounds */
export function touches({z, x, y}, [west, south, east, north]) {
  const side = 2 ** z;
  const lonOf = (/** @type {number} */ column) => (column / side) * 360 - 180;
  const latOf = (/** @type {number} */ row) => (Math.atan(Math.sinh(Math.PI * (1 - (2 * row) / side))) * 180) / Math.PI;
  return lonOf(x) <= east && lonOf(x + 1) >= west && latOf(y + 1) <= north && latOf(y) >= south;
}
