// Vector tiles drawn on canvas, as a Leaflet layer. protomaps-leaflet gives the tile
// views, the painter and the label index; its own Leaflet layer is not used because it
// needs a global L, hides failed tiles and cannot share tiles between two layers.

import {GridLayer} from 'leaflet';
import Point from '@mapbox/point-geometry';
import {Labelers, TileCache, View, paint} from 'protomaps-leaflet';

/** @typedef {import('protomaps-leaflet').PaintRule} PaintRule */
/** @typedef {import('protomaps-leaflet').LabelRule} LabelRule */
/** @typedef {import('protomaps-leaflet').TileSource} TileSource */
/** @typedef {HTMLCanvasElement & {key?: string}} TileCanvas */

const SIDE = 256;
/** Labels and lines of a neighbour reach this far into a tile. */
const MARGIN = 16;
/** Data tiles of 512 px: a quarter of the requests. */
const LEVEL_DIFF = 1;
const LABELLED_TILES = 32;

/** Tiles of one address, shared by the layers that draw from it. @param {TileSource} source @param {number} [maxDataZoom] */
export function createView(source, maxDataZoom = 15) {
  return new View(new TileCache(source, SIDE << LEVEL_DIFF), maxDataZoom, LEVEL_DIFF);
}

/**
 * A Leaflet layer that paints views by rules.
 *
 * @param {{views: Map<string, View>, paintRules?: PaintRule[], labelRules?: LabelRule[], pane?: string}} options
 */
export function createVectorLayer(options) {
  return new VectorLayer(options);
}

export class VectorLayer extends GridLayer {
  /** @param {{views: Map<string, View>, paintRules?: PaintRule[], labelRules?: LabelRule[], pane?: string}} options */
  constructor({views, paintRules = [], labelRules = [], pane}) {
    super({pane, updateWhenZooming: false, keepBuffer: 1});
    this.views = views;
    this.paintRules = paintRules;
    this.labelRules = labelRules;
    this.ratio = Math.min(2, window.devicePixelRatio || 1);
    this.scratch = /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d'));
    this.labelers = this.freshLabelers();
  }

  /** Labels are placed anew whenever their rules change. */
  freshLabelers() {
    return new Labelers(this.scratch, this.labelRules, LABELLED_TILES, tiles => tiles.forEach(key => this.repaintTile(key)));
  }

  /** Draw again with other rules; the tiles stay loaded. @param {{paintRules?: PaintRule[], labelRules?: LabelRule[]}} [rules] */
  restyle({paintRules, labelRules} = {}) {
    if (paintRules) this.paintRules = paintRules;
    if (labelRules) this.labelRules = labelRules;
    this.labelers = this.freshLabelers();
    for (const tile of this.shownTiles()) this.draw(tile.coords, tile.el, () => {});
  }

  /** @returns {{coords: import('leaflet').Coords, el: TileCanvas}[]} */
  shownTiles() {
    return Object.values(/** @type {any} */ (this)._tiles ?? {});
  }

  /** @param {string} key  `x:y:z` of the tile */
  repaintTile(key) {
    for (const {coords, el} of this.shownTiles()) {
      if (`${coords.x}:${coords.y}:${coords.z}` === key) this.draw(coords, el, () => {});
    }
  }

  /** @param {import('leaflet').Coords} coords @param {import('leaflet').DoneCallback} done */
  createTile(coords, done) {
    const canvas = /** @type {TileCanvas} */ (document.createElement('canvas'));
    canvas.className = 'leaflet-tile';
    canvas.key = `${coords.x}:${coords.y}:${coords.z}`;
    this.draw(coords, canvas, () => done(undefined, canvas));
    return canvas;
  }

  /** @param {import('leaflet').Coords} coords @param {TileCanvas} canvas @param {() => void} done */
  async draw(coords, canvas, done) {
    const key = canvas.key;
    /** @type {Map<string, import('protomaps-leaflet').PreparedTile[]>} */
    const prepared = new Map();
    await Promise.all([...this.views].map(async ([name, view]) => {
      // A tile that does not come leaves its layer out; the source has told about it.
      const tile = await view.getDisplayTile(coords).catch(() => null);
      if (tile) prepared.set(name, [tile]);
    }));
    if (canvas.key !== key || !this._map) return;
    if (this.labelRules.length) this.labelers.add(coords.z, prepared);
    this.paintTile(coords, canvas, prepared);
    done();
  }

  /** @param {import('leaflet').Coords} coords @param {TileCanvas} canvas @param {Map<string, import('protomaps-leaflet').PreparedTile[]>} prepared */
  paintTile(coords, canvas, prepared) {
    const side = SIDE * this.ratio;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, SIDE, SIDE);
    const origin = new Point(SIDE * coords.x, SIDE * coords.y);
    const box = {minX: origin.x - MARGIN, minY: origin.y - MARGIN, maxX: origin.x + SIDE + MARGIN, maxY: origin.y + SIDE + MARGIN};
    const labels = this.labelRules.length ? this.labelers.getIndex(coords.z) ?? null : null;
    paint(context, coords.z, prepared, labels, this.paintRules, box, origin, false);
  }

  /** Features of a view under a place, topmost last. @param {string} name @param {import('leaflet').LatLng} place @param {number} reach  pixels */
  featuresAt(name, place, reach) {
    const view = this.views.get(name);
    if (!view || !this._map) return [];
    return view.queryFeatures(place.lng, place.lat, this._map.getZoom(), reach).map(hit => hit.feature);
  }
}
