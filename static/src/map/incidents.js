// Open cases on the map: one canvas over everything, redrawn when the map stands still.
// State is colour and shape together; what is new or selected has a ring.

import {DomUtil, Layer} from 'leaflet';
import {token, wantsStill} from '../lib/theme.js';
import {declutter} from './declutter.js';
import {fontOf} from './labels.js';
import {SHAPES} from './paint.js';

/** @typedef {import('../lib/dates.js').Risk} Risk */
/** @typedef {{id: string, lat: number, lon: number, risk: Risk}} Marked */
/** @typedef {{x: number, y: number, row: Marked}} Dot */

/** @type {Record<Risk, {shape: string, radius: number}>} */
export const MARKS = {
  late: {shape: 'diamond', radius: 7},
  soon: {shape: 'triangle', radius: 7},
  ok: {shape: 'circle', radius: 6},
  paused: {shape: 'square', radius: 5.5},
  done: {shape: 'circle', radius: 4},
};

/** How far apart marks stand, in pixels: wide where the whole city is seen, close on the street. @param {number} zoom */
const apartAt = zoom => (zoom >= 17 ? 4 : zoom >= 15 ? 18 : zoom >= 13 ? 30 : 42);
const FLASH_MS = 6000;
const PADDING = 0.25;

export class IncidentLayer extends Layer {
  /** @param {{pane: string, scale?: number}} options  scale: larger marks for screens read from afar */
  constructor({pane, scale = 1}) {
    super({pane});
    this.scale = scale;
    /** @type {readonly Marked[]} */
    this.rows = [];
    /** @type {{top: Dot, all: Dot[]}[]} */
    this.groups = [];
    /** @type {string | null} */
    this.selected = null;
    /** @type {string | null} */
    this.hovered = null;
    /** @type {{lon: number, lat: number} | null} */
    this.pinned = null;
    /** @type {Map<string, number>} */
    this.flashing = new Map();
    this.canvas = document.createElement('canvas');
    this.canvas.className = 'leaflet-zoom-animated map-incidents';
    this.frame = 0;
  }

  /** @param {import('leaflet').Map} map */
  onAdd(map) {
    this.getPane()?.append(this.canvas);
    map.on('moveend zoomend resize', this.redraw, this);
    map.on('zoomanim', this.animate, this);
    this.redraw();
    return this;
  }

  /** @param {import('leaflet').Map} map */
  onRemove(map) {
    map.off('moveend zoomend resize', this.redraw, this);
    map.off('zoomanim', this.animate, this);
    this.canvas.remove();
    return this;
  }

  /** @param {readonly Marked[]} rows  most pressing first */
  show(rows) {
    this.rows = rows;
    this.redraw();
  }

  /** @param {string | null} id */
  select(id) {
    this.selected = id;
    this.redraw();
  }

  /** @param {string | null} id */
  hover(id) {
    if (this.hovered === id) return;
    this.hovered = id;
    this.redraw();
  }

  /** Mark a place that was looked for. @param {{lon: number, lat: number} | null} place */
  pin(place) {
    this.pinned = place;
    this.redraw();
  }

  /** Draw the eye to a case that just came. @param {string} id */
  flash(id) {
    this.flashing.set(id, performance.now());
    this.redraw();
  }

  /** Follow the map while it zooms. @param {any} event */
  animate(event) {
    const map = /** @type {any} */ (this._map);
    if (!this.corner) return;
    const scale = map.getZoomScale(event.zoom, this.zoom);
    const offset = map._latLngToNewLayerPoint(this.corner, event.zoom, event.center);
    DomUtil.setTransform(this.canvas, offset, scale);
  }

  redraw() {
    if (!this._map || this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this._map) this.draw();
    });
  }

  draw() {
    const map = this._map;
    const size = map.getSize();
    const pad = size.multiplyBy(PADDING).round();
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const corner = map.containerPointToLayerPoint(pad.multiplyBy(-1));
    this.corner = map.layerPointToLatLng(corner);
    this.zoom = map.getZoom();
    const [width, height] = [size.x + 2 * pad.x, size.y + 2 * pad.y];
    if (this.canvas.width !== width * ratio || this.canvas.height !== height * ratio) {
      this.canvas.width = width * ratio;
      this.canvas.height = height * ratio;
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    DomUtil.setTransform(this.canvas, corner, 1);
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const dots = this.rows.map(row => {
      const at = map.latLngToLayerPoint([row.lat, row.lon]).subtract(corner);
      return {x: at.x, y: at.y, row};
    }).filter(dot => dot.x > -20 && dot.y > -20 && dot.x < width + 20 && dot.y < height + 20);
    this.groups = declutter(dots, apartAt(map.getZoom()) * this.scale);
    this.paintGroups(context);
  }

  /** @param {CanvasRenderingContext2D} context */
  paintGroups(context) {
    const inks = {late: token('late'), soon: token('soon'), ok: token('ok'), paused: token('paused'), done: token('paused')};
    const look = {edge: '#ffffff', brand: token('brand'), panel: token('panel'), text: token('text'), inks};
    // The least pressing first, so that a late case lies on top.
    for (const group of [...this.groups].reverse()) this.paintGroup(context, group, look);
    const marked = this.groups.filter(group => group.all.some(dot => dot.row.id === this.selected || dot.row.id === this.hovered));
    for (const group of marked) this.paintRing(context, group, look);
    this.paintFlashes(context, inks);
    this.paintPin(context, look);
  }

  /** @param {CanvasRenderingContext2D} context @param {{top: Dot, all: Dot[]}} group @param {any} look */
  paintGroup(context, {top, all}, look) {
    const mark = MARKS[top.row.risk] ?? MARKS.ok;
    context.save();
    context.translate(Math.round(top.x), Math.round(top.y));
    context.scale(this.scale, this.scale);
    context.lineJoin = 'round';
    if (all.length > 1) paintPill(context, all.length, mark, look, look.inks[top.row.risk]);
    else paintMark(context, mark, look.edge, look.inks[top.row.risk]);
    context.restore();
  }

  /** @param {CanvasRenderingContext2D} context @param {{top: Dot, all: Dot[]}} group @param {any} look */
  paintRing(context, {top, all}, look) {
    const isSelected = all.some(dot => dot.row.id === this.selected);
    context.beginPath();
    context.arc(top.x, top.y, (isSelected ? 14 : 12) * this.scale, 0, 2 * Math.PI);
    context.lineWidth = 5;
    context.strokeStyle = look.panel;
    context.stroke();
    context.lineWidth = isSelected ? 3 : 2;
    context.strokeStyle = look.brand;
    context.stroke();
  }

  /** @param {CanvasRenderingContext2D} context @param {Record<string, string>} inks */
  paintFlashes(context, inks) {
    const now = performance.now();
    const still = wantsStill();
    for (const [id, since] of this.flashing) {
      const age = now - since;
      const group = this.groups.find(({all}) => all.some(dot => dot.row.id === id));
      if (age > FLASH_MS) this.flashing.delete(id);
      else if (group) {
        const beat = still ? 0.5 : (age % 1500) / 1500;
        context.beginPath();
        context.arc(group.top.x, group.top.y, 10 + beat * 26, 0, 2 * Math.PI);
        context.globalAlpha = 1 - beat;
        context.lineWidth = 3;
        context.strokeStyle = inks[group.top.row.risk];
        context.stroke();
        context.globalAlpha = 1;
      }
    }
    if (this.flashing.size) {
      if (still) setTimeout(() => this.redraw(), 500);
      else this.redraw();
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {any} look */
  paintPin(context, look) {
    if (!this.pinned || !this.corner) return;
    const at = this._map.latLngToLayerPoint([this.pinned.lat, this.pinned.lon]).subtract(this._map.latLngToLayerPoint(this.corner));
    context.save();
    context.translate(at.x, at.y);
    context.beginPath();
    context.arc(0, -22, 11, Math.PI * 0.84, Math.PI * 2.16);
    context.lineTo(0, 0);
    context.closePath();
    context.lineJoin = 'round';
    context.lineWidth = 3;
    context.strokeStyle = look.edge;
    context.stroke();
    context.fillStyle = look.brand;
    context.fill();
    context.beginPath();
    context.arc(0, -22, 4, 0, 2 * Math.PI);
    context.fillStyle = look.edge;
    context.fill();
    context.restore();
  }

  /** The cases under a place of the screen, most pressing first. @param {import('leaflet').Point} at  container point @returns {Marked[]} */
  at(at) {
    if (!this._map || !this.corner) return [];
    const point = this._map.containerPointToLayerPoint(at).subtract(this._map.latLngToLayerPoint(this.corner));
    let best = null;
    let reach = 15;
    for (const group of this.groups) {
      const distance = Math.hypot(group.top.x - point.x, group.top.y - point.y);
      if (distance < reach) [best, reach] = [group, distance];
    }
    return best ? best.all.map(dot => dot.row) : [];
  }
}

/** @param {CanvasRenderingContext2D} context @param {{shape: string, radius: number}} mark @param {string} edge @param {string} ink */
function paintMark(context, mark, edge, ink) {
  context.beginPath();
  SHAPES[mark.shape](context, mark.radius);
  context.lineWidth = 4;
  context.strokeStyle = '#17222e40';
  context.stroke();
  context.lineWidth = 2.5;
  context.strokeStyle = edge;
  context.stroke();
  context.fillStyle = ink;
  context.fill();
}

/** Several cases at one place: the sign of the most pressing, and how many. @param {CanvasRenderingContext2D} context @param {number} count @param {{shape: string, radius: number}} mark @param {any} look @param {string} ink */
function paintPill(context, count, mark, look, ink) {
  const text = String(count);
  context.font = fontOf(11.5, 600);
  const width = context.measureText(text).width + 25;
  context.beginPath();
  context.roundRect(-width / 2, -10, width, 20, 10);
  context.lineWidth = 4;
  context.strokeStyle = '#17222e26';
  context.stroke();
  context.fillStyle = look.panel;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = ink;
  context.stroke();
  context.save();
  context.translate(-width / 2 + 11, 0.5);
  context.beginPath();
  SHAPES[mark.shape](context, mark.radius * 0.72);
  context.fillStyle = ink;
  context.fill();
  context.restore();
  context.fillStyle = look.text;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillText(text, -width / 2 + 18, 0.5);
}
