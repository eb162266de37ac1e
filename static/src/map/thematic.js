// Layers of the registry. Their `style` says how a feature looks, in plain data:
//
//   {"draw": "circle", "colour": "#3b6ea8", "colour_dark": "#7fb2ea", "radius": 4, "width": 1.5,
//    "opacity": 1, "by": "class", "values": {"shop": {"colour": "...", "colour_dark": "..."}},
//    "label": "name", "label_zoom": 17, "counts": {"below": 14, "property": "count", "breaks": [...]}}
//
// `by` names the property that chooses from `values`. A feature with `count` stands for
// many (below the zoom that shows single things): a bubble that grows with the number.

import {isDark, token} from '../lib/theme.js';
import {classOf} from './choropleth.js';
import {fontOf, nameIn, pointLabel} from './labels.js';
import {grow, line, polygon, symbol} from './paint.js';
import {palette} from './palette.js';

/** @typedef {import('protomaps-leaflet').Feature} Feature */
/**
 * @typedef {{colour: string, colour_dark?: string}} Ink
 * @typedef {Partial<Ink> & {draw?: string, radius?: number, width?: number, opacity?: number, by?: string | null, values?: Record<string, Ink>,
 *   label?: string | null, label_zoom?: number, counts?: {below: number, property: string, breaks: number[]} | null}} LayerStyle
 * @typedef {Ink & {value: string, label: string}} Swatch
 * @typedef {{id: string, title: string, group: string, geometry: string, min_zoom: number, max_zoom: number, detail_zoom?: number, source: 'tiles' | 'geojson', tiles: string,
 *   legend: Swatch[], style: LayerStyle, count: number | null, default_on: boolean, as_of: string | null}} LayerInfo
 */

/** Colours that stay apart for colour-blind eyes (Okabe and Ito), one per layer without its own. */
const SPARE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7a4fb5'];

/** @param {string} id */
const spareColour = id => SPARE[[...id].reduce((sum, character) => sum + character.charCodeAt(0), 0) % SPARE.length];

/** The colour of a value of a layer. @param {{id: string, style: LayerStyle}} layer @param {string | undefined} value */
export function colourOf({id, style}, value) {
  const ink = (value === undefined ? undefined : style?.values?.[value]) ?? style;
  return (isDark() ? ink?.colour_dark : ink?.colour) ?? ink?.colour ?? spareColour(id);
}

/**
 * @param {LayerInfo} layer
 * @returns {import('protomaps-leaflet').PaintRule[]}
 */
export function thematicRules(layer) {
  const style = layer.style ?? {};
  const by = style.by;
  const colour = (/** @type {Feature} */ feature) => colourOf(layer, by ? String(feature.props[by]) : undefined);
  const base = {dataSource: layer.id, dataLayer: layer.id};
  const width = style.width ?? 1.5;
  const alpha = style.draw === 'outline' ? 0 : (style.opacity ?? 1) * 0.7;
  const outline = grow([[8, width * 0.7], [14, width], [18, width * 1.6]]);
  return [
    {...base, symbolizer: polygon({fill: style.draw === 'outline' ? undefined : colour, edge: colour, width, alpha})},
    {...base, symbolizer: line({colour: feature => (feature.geomType === 2 ? colour(feature) : null), width: outline})},
    {...base, filter: (_zoom, feature) => !isMany(feature), symbolizer: symbol({
      colour, edge: token('panel'), shape: () => 'circle', radius: zoom => (style.radius ?? 4) * grow([[11, 0.5], [14, 0.7], [16, 0.85], [17, 1.1], [18, 1.4]])(zoom),
    })},
    {...base, filter: (_zoom, feature) => isMany(feature), symbolizer: bubble(colour, style.counts?.breaks ?? [])},
  ];
}

/**
 * @param {LayerInfo} layer
 * @param {'zh' | 'en'} lang
 * @returns {import('protomaps-leaflet').LabelRule[]}
 */
export function thematicNames(layer, lang) {
  const {label, label_zoom: from = 16, draw} = layer.style ?? {};
  if (!label || layer.id === 'grid') return [];
  const colours = palette(isDark());
  const own = nameIn(lang);
  const isPoint = draw === 'circle';
  return [{
    dataSource: layer.id, dataLayer: layer.id, minzoom: from,
    symbolizer: pointLabel({
      name: feature => (isMany(feature) ? '' : label === 'name' ? own(feature) : String(feature.props[label] ?? '')),
      size: draw === 'outline' ? 12.5 : 11, weight: draw === 'outline' ? 600 : 400, colour: draw === 'outline' ? colours.place : colours.poi, halo: colours.halo,
      below: isPoint ? (layer.style.radius ?? 4) + 4 : 0,
      // The name of an area may stand on the base map already.
      key: feature => (isPoint ? `${layer.id} ${feature.props.id ?? own(feature)}` : own(feature)), apart: isPoint ? 1 : 400,
    }),
  }];
}

/** @param {Feature} feature */
const isMany = feature => feature.geomType === 1 && Number(feature.props.count) > 1;

const BUBBLES = [6, 8, 10.5, 13, 16];

/** Many things at one place: a disc by the class of the count, and the count where there is room. @param {(feature: Feature) => string} colour @param {number[]} breaks */
function bubble(colour, breaks) {
  return {
    draw(/** @type {CanvasRenderingContext2D} */ context, /** @type {{x: number, y: number}[][]} */ geom, /** @type {number} */ _zoom, /** @type {Feature} */ feature) {
      const count = Number(feature.props.count);
      const radius = radiusOf(count, breaks);
      const [{x, y}] = geom[0];
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.globalAlpha = 0.8;
      context.fillStyle = colour(feature);
      context.fill();
      context.globalAlpha = 1;
      context.strokeStyle = token('panel');
      context.lineWidth = 1;
      context.stroke();
      if (radius < 9) return;
      context.fillStyle = isDark() ? '#0b1218' : '#ffffff';
      context.font = fontOf(10, 600);
      context.textAlign = 'center';
      context.textBaseline = 'middle';
      context.fillText(count > 999 ? `${Math.round(count / 1000)}k` : String(count), x, y);
    },
  };
}

/** @param {number} count @param {number[]} breaks  edges of the classes of counts, where the server gives them */
function radiusOf(count, breaks) {
  if (breaks.length > 1) return BUBBLES[Math.min(BUBBLES.length - 1, classOf(count, breaks))];
  return Math.min(16, 5 + Math.sqrt(count) * 0.55);
}
