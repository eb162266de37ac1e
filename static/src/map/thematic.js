// Layers of the registry. Their `style` says how a feature looks:
//
//   {"colour": "#7a4fb5", "symbol": "square", "radius": 4, "width": 2, "fill": "#...",
//    "opacity": 0.4, "by": "class", "values": {"lamp": {"colour": "#d08700"}}}
//
// `by` names a property; `values` overrides the look by its value. A feature with
// `count` stands for many (below the layer's smallest zoom) and is drawn as a bubble.

import {grow, line, polygon, symbol} from './paint.js';
import {fontOf} from './labels.js';
import {token} from '../lib/theme.js';

/** @typedef {import('protomaps-leaflet').Feature} Feature */
/**
 * @typedef {{colour?: string, color?: string, fill?: string, stroke?: string, symbol?: string, shape?: string, radius?: number, width?: number, opacity?: number, dash?: number[],
 *   by?: string, property?: string, values?: Record<string, any>}} LayerStyle
 * @typedef {{id: string, title: string, group: string, geometry: string, min_zoom: number, max_zoom: number, source: 'tiles' | 'geojson', tiles: string,
 *   legend: {label: string, colour?: string, color?: string, symbol?: string}[], style: LayerStyle, count: number | null, default_on: boolean, as_of: string}} LayerInfo
 */

/** Colours that stay apart for colour-blind eyes (Okabe and Ito), one per layer without its own. */
const SPARE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7a4fb5'];

/** The look of one value. @param {LayerStyle} style @param {string | undefined} value */
export function lookOf(style, value) {
  const own = value === undefined ? undefined : style.values?.[value];
  const extra = typeof own === 'string' ? {colour: own} : own ?? {};
  const look = {...style, ...extra};
  return {
    colour: String(look.colour ?? look.color ?? look.fill ?? look.stroke ?? ''),
    shape: String(look.symbol ?? look.shape ?? 'circle'),
    radius: Number(look.radius ?? 4),
    width: Number(look.width ?? 2),
    opacity: Number(look.opacity ?? 0.35),
  };
}

/** @param {string} id */
const spareColour = id => SPARE[[...id].reduce((sum, character) => sum + character.charCodeAt(0), 0) % SPARE.length];

/**
 * @param {LayerInfo} layer
 * @returns {import('protomaps-leaflet').PaintRule[]}
 */
export function thematicRules(layer) {
  const style = layer.style ?? {};
  const by = style.by ?? style.property;
  const look = (/** @type {Feature} */ feature) => {
    const found = lookOf(style, by ? String(feature.props[by]) : undefined);
    return {...found, colour: found.colour || spareColour(layer.id)};
  };
  const colour = (/** @type {Feature} */ feature) => look(feature).colour;
  const base = {dataSource: layer.id, dataLayer: layer.id};
  const width = look(/** @type {any} */ ({props: {}})).width;
  const one = (/** @type {number} */ _zoom, /** @type {Feature} */ feature) => !isMany(feature);
  return [
    {...base, symbolizer: polygon({fill: colour, edge: colour, width: 1, alpha: look(/** @type {any} */ ({props: {}})).opacity})},
    {...base, symbolizer: line({colour: feature => (feature.geomType === 2 ? colour(feature) : null), width: grow([[10, width * 0.5], [14, width], [18, width * 2]]), dash: style.dash ?? null})},
    {...base, filter: one, symbolizer: symbol({
      colour, edge: token('panel'), shape: feature => look(feature).shape,
      radius: (zoom, feature) => look(feature).radius * grow([[11, 0.5], [14, 0.75], [16, 1], [18, 1.5]])(zoom),
    })},
    {...base, filter: (_zoom, feature) => isMany(feature), symbolizer: bubble(colour)},
  ];
}

/** @param {Feature} feature */
const isMany = feature => feature.geomType === 1 && Number(feature.props.count) > 1;

/** Many things at one place: a disc that grows with the root of the count, and the count. @param {(feature: Feature) => string} colour */
function bubble(colour) {
  return {
    draw(/** @type {CanvasRenderingContext2D} */ context, /** @type {{x: number, y: number}[][]} */ geom, /** @type {number} */ _zoom, /** @type {Feature} */ feature) {
      const count = Number(feature.props.count);
      const radius = Math.min(17, 5 + Math.sqrt(count) * 0.55);
      const [{x, y}] = geom[0];
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.globalAlpha = 0.82;
      context.fillStyle = colour(feature);
      context.fill();
      context.globalAlpha = 1;
      if (radius < 9) return;
      context.fillStyle = '#ffffff';
      context.font = fontOf(10, 600);
      context.textAlign = 'center';
      context.textBaseline = 'middle';
      context.fillText(count > 999 ? `${Math.round(count / 1000)}k` : String(count), x, y);
    },
  };
}
