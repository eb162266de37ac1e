// Duty grids coloured by a figure: the shapes come as vector tiles, the figures as one
// list of code -> number, so that another theme costs one small request.

import {polygon} from './paint.js';
import {token} from '../lib/theme.js';

export const GRID = 'grid';
/** A figure that is not told: too few people stand behind it, or behind a neighbour that it would give away. */
export const SUPPRESSED = 'withheld';

/**
 * Which of the classes a value falls into, 0 to classes - 1. Breaks are the lower edges
 * of all classes and the largest value; a value on an edge belongs to the class below it,
 * as the server's classifier has it.
 *
 * @param {number} value
 * @param {number[]} breaks
 */
export function classOf(value, breaks) {
  const classes = breaks.length - 1;
  for (let place = 0; place < classes; place += 1) {
    if (value <= breaks[place + 1]) return place;
  }
  return classes - 1;
}

/**
 * The classes that can hold anything, with their edges. Many equal values make edges fall
 * together; the classes that are left take colours over the whole ramp.
 *
 * @param {number[]} breaks
 * @returns {{place: number, from: number, to: number, step: number}[]}  step: 0 to 4, the colour
 */
export function classesOf(breaks) {
  const used = [];
  for (let place = 0; place < breaks.length - 1; place += 1) {
    if (place === 0 || breaks[place + 1] > breaks[place]) used.push({place, from: breaks[place], to: breaks[place + 1]});
  }
  return used.map((one, rank) => ({...one, step: used.length < 2 ? 0 : Math.round((rank * 4) / (used.length - 1))}));
}

/** Fewer classes than this tell too little. */
const FEW = 4;
const CLASSES = 5;

/**
 * Where most grids have the same figure (nothing at all, as a rule), the edges of equally
 * full classes fall together. Then zero is a class of its own, and the others are spread
 * over what is above it.
 *
 * @param {{values: Record<string, number | string>, breaks: number[]}} figures
 * @returns {{breaks: number[], isSpread: boolean}}
 */
export function spreadBreaks({values, breaks}) {
  if (classesOf(breaks).length >= FEW) return {breaks, isSpread: false};
  const above = Object.values(values).filter(value => typeof value === 'number' && value > 0).map(Number).sort((a, b) => a - b);
  if (new Set(above).size < 2) return {breaks, isSpread: false};
  const edges = Array.from({length: CLASSES - 1}, (_, rank) => above[Math.ceil(((rank + 1) * above.length) / (CLASSES - 1)) - 1]);
  return {breaks: [0, 0, ...new Set(edges)], isSpread: true};
}

/** The five colours of the ramp as the page has them now. */
export const rampColours = () => [1, 2, 3, 4, 5].map(step => token(`ramp-${step}`));

/** Fine strokes for grids whose figure is suppressed: hatching, so that it is no class of its own. @param {string} ink @param {string} ground */
function hatch(ink, ground) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 8;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.fillStyle = ground;
  context.fillRect(0, 0, 8, 8);
  context.strokeStyle = ink;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(-2, 6); context.lineTo(6, -2); context.moveTo(2, 10); context.lineTo(10, 2);
  context.stroke();
  return context.createPattern(canvas, 'repeat');
}

/**
 * Rules that fill the grids.
 *
 * @param {{values: Record<string, number | string>, breaks: number[]} | null} figures  null: edges only
 * @param {boolean} isDark
 * @returns {import('protomaps-leaflet').PaintRule[]}
 */
export function choroplethRules(figures, isDark) {
  const ramp = rampColours();
  const unknown = /** @type {any} */ (hatch(token('muted'), ramp[0]));
  const steps = new Map(classesOf(figures?.breaks ?? []).map(one => [one.place, one.step]));
  const fill = (/** @type {import('protomaps-leaflet').Feature} */ feature) => {
    if (!figures) return null;
    const value = figures.values[String(feature.props.code)];
    if (value === SUPPRESSED) return unknown;
    return typeof value === 'number' ? ramp[steps.get(classOf(value, figures.breaks)) ?? 0] : ramp[0];
  };
  const edge = figures ? (isDark ? '#0b1218' : '#ffffff') : (isDark ? '#4a6478' : '#9db4c4');
  return [{dataSource: GRID, dataLayer: GRID, symbolizer: polygon({fill, edge, width: figures ? 1.1 : 1})}];
}

/**
 * Rules that outline the hovered and the selected grid.
 *
 * @param {{hovered: string | null, selected: string | null}} marks
 * @returns {import('protomaps-leaflet').PaintRule[]}
 */
export function outlineRules({hovered, selected}) {
  const is = (/** @type {string | null} */ code) => (/** @type {number} */ _zoom, /** @type {any} */ feature) => Boolean(code) && String(feature.props.code) === code;
  const halo = token('panel');
  return [
    {dataSource: GRID, dataLayer: GRID, filter: is(hovered), symbolizer: polygon({edge: token('text'), width: 1.6})},
    {dataSource: GRID, dataLayer: GRID, filter: is(selected), symbolizer: polygon({edge: halo, width: 6})},
    {dataSource: GRID, dataLayer: GRID, filter: is(selected), symbolizer: polygon({edge: token('brand'), width: 3})},
  ];
}
