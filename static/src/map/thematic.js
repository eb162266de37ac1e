// Layers of the registry. Their `style` says how a feature looks, in plain data:
//
//   {"draw": "circle", "by": "class", "radius_px": 4, "width_px": 1.5, "opacity": 1,
//    "swatches": [{"value": "shop", "light": "#3b6ea8", "dark": "#7fb2ea"}, ...],
//    "label": "name", "label_zoom": 17}
//
// `by` names the property that chooses a swatch; what has none takes the first one. A
// feature with `count` stands for many (below the layer's smallest zoom): a bubble.

import {isDark, token} from '../lib/theme.js';
import {fontOf, nameIn, pointLabel} from './labels.js';
import {grow, line, polygon, symbol} from './paint.js';
import {palette} from './palette.js';

/** @typedef {import('protomaps-leaflet').Feature} Feature */
/**
 * @typedef {{value: string, light: string, dark: string, label?: string}} Swatch
 * @typedef {{draw?: string, swatches?: Swatch[], by?: string | null, radius_px?: number, width_px?: number, opacity?: number, label?: string | null, label_zoom?: number}} LayerStyle
 * @typedef {{id: string, title: string, group: string, geometry: string, min_zoom: number, max_zoom: number, source: 'tiles' | 'geojson', tiles: string,
 *   legend: Swatch[], style: LayerStyle, count: number | null, default_on: boolean, as_of: string | null}} LayerInfo
 */

/** Colours that stay apart for colour-blind eyes (Okabe and Ito), one per layer without its own. */
const SPARE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7a4fb5'];

/** @param {string} id */
const spareColour = id => SPARE[[...id].reduce((sum, character) => sum + character.charCodeAt(0), 0) % SPARE.length];

/** The colour of a value of a layer. @param {{id: string, style: LayerStyle}} layer @param {string | undefined} value */
export function colourOf({id, style}, value) {
  const swatches = style?.swatches ?? [];
  const swatch = swatches.find(one => one.value === value) ?? swatches[0];
  if (!swatch) return spareColour(id);
  return isDark() ? swatch.dark : swatch.light;
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
  const width = style.width_px ?? 1.5;
  const alpha = style.draw === 'outline' ? 0 : (style.opacity ?? 1) * 0.7;
  const outline = grow([[8, width * 0.7], [14, width], [18, width * 1.6]]);
  return [
    {...base, symbolizer: polygon({fill: style.draw === 'outline' ? undefined : colour, edge: colour, width, alpha})},
    {...base, symbolizer: line({colour: feature => (feature.geomType === 2 ? colour(feature) : null), width: outline})},
    {...base, filter: (_zoom, feature) => !isMany(feature), symbolizer: symbol({
      colour, edge: token('panel'), shape: () => 'circle', radius: zoom => (style.radius_px ?? 4) * grow([[11, 0.5], [14, 0.8], [16, 1.1], [18, 1.5]])(zoom),
    })},
    {...base, filter: (_zoom, feature) => isMany(feature), symbolizer: bubble(colour)},
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
      below: isPoint ? (layer.style.radius_px ?? 4) + 4 : 0,
      key: feature => `${layer.id} ${feature.props.code ?? feature.props.id ?? own(feature)}`, apart: isPoint ? 1 : 500,
    }),
  }];
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
