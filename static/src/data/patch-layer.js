// Draws patches on one canvas over the map: filled by their grid, with the borders of grids.

import {Layer} from 'leaflet';

/** @typedef {ReturnType<typeof import('./patches.js').createPatches>} Patches */
/** @typedef {{labels: Int32Array, fill: (label: number) => string, edge: string, town: string, fine: string, selected: number, select: string, opacity: number}} Look */

/** From this zoom on single patches are outlined. */
const FINE_ZOOM = 15;

export class PatchLayer extends Layer {
  /** @param {Patches} patches @param {() => Look} look */
  constructor(patches, look) {
    super();
    this.patches = patches;
    this.look = look;
    this.canvas = document.createElement('canvas');
    this.canvas.className = 'patch-canvas leaflet-zoom-hide';
    this.redraw = this.redraw.bind(this);
  }

  /** @param {import('leaflet').Map} map */
  onAdd(map) {
    map.getPane('layers')?.append(this.canvas);
    map.on('moveend zoomend resize viewreset', this.redraw);
    this.redraw();
    return this;
  }

  /** @param {import('leaflet').Map} map */
  onRemove(map) {
    map.off('moveend zoomend resize viewreset', this.redraw);
    this.canvas.remove();
    return this;
  }

  redraw() {
    const map = /** @type {import('leaflet').Map} */ (this._map);
    if (!map) return;
    const size = map.getSize();
    const ratio = window.devicePixelRatio || 1;
    const origin = map.containerPointToLayerPoint([0, 0]);
    this.canvas.style.transform = `translate(${origin.x}px, ${origin.y}px)`;
    Object.assign(this.canvas, {width: size.x * ratio, height: size.y * ratio});
    this.canvas.style.width = `${size.x}px`;
    this.canvas.style.height = `${size.y}px`;
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    pen.scale(ratio, ratio);
    const {patches} = this;
    const look = this.look();
    const place = this.projection(map);
    /** @type {Map<number, Path2D>} */
    const areas = new Map();
    patches.rings.forEach((rings, patch) => {
      const label = look.labels[patch];
      const path = areas.get(label) ?? new Path2D();
      areas.set(label, path);
      for (const ring of rings) {
        for (let at = 0; at < ring.length; at += 2) {
          const [x, y] = place(ring[at], ring[at + 1]);
          if (at) path.lineTo(x, y);
          else path.moveTo(x, y);
        }
        path.closePath();
      }
    });
    pen.globalAlpha = look.opacity;
    for (const [label, path] of areas) {
      pen.fillStyle = look.fill(label);
      pen.fill(path, 'evenodd');
    }
    pen.globalAlpha = 1;
    this.borders(pen, place, look, map.getZoom() >= FINE_ZOOM);
  }

  /** @param {CanvasRenderingContext2D} pen @param {(x: number, y: number) => [number, number]} place @param {Look} look @param {boolean} isFine */
  borders(pen, place, look, isFine) {
    const lines = {fine: new Path2D(), edge: new Path2D(), town: new Path2D(), select: new Path2D()};
    for (const side of this.patches.sides) {
      const one = look.labels[side.one];
      const other = side.other < 0 ? -1 : look.labels[side.other];
      const kinds = one === other ? (isFine ? ['fine'] : []) : [other < 0 ? 'town' : 'edge'];
      if (look.selected >= 0 && one !== other && (one === look.selected || other === look.selected)) kinds.push('select');
      for (const kind of kinds) {
        const path = lines[/** @type {keyof typeof lines} */ (kind)];
        path.moveTo(...place(side.x1, side.y1));
        path.lineTo(...place(side.x2, side.y2));
      }
    }
    pen.lineCap = 'round';
    for (const [kind, colour, width] of /** @type {[keyof typeof lines, string, number][]} */ ([['fine', look.fine, 0.5], ['edge', look.edge, 1.4], ['town', look.town, 2.2], ['select', look.select, 3]])) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.stroke(lines[kind]);
    }
  }

  /** Where a corner lies on the canvas, each corner worked out once. @param {import('leaflet').Map} map @returns {(x: number, y: number) => [number, number]} */
  projection(map) {
    const {scale} = this.patches;
    const top = map.getPixelOrigin();
    const shift = map.layerPointToContainerPoint([0, 0]);
    /** @type {Map<number, number>} */
    const columns = new Map();
    /** @type {Map<number, number>} */
    const rows = new Map();
    return (x, y) => {
      let left = columns.get(x);
      if (left === undefined) columns.set(x, left = map.project([0, x / scale]).x - top.x + shift.x);
      let down = rows.get(y);
      if (down === undefined) rows.set(y, down = map.project([y / scale, 0]).y - top.y + shift.y);
      return [left, down];
    };
  }
}
