// Small drawings for legends, in the very shapes of the map.

import {append, el} from '../lib/dom.js';
import {MARKS} from '../map/incidents.js';
import {SHAPES} from '../map/paint.js';
import {colourOf} from '../map/thematic.js';
import {token} from '../lib/theme.js';

const SIDE = 18;

/** @param {(context: CanvasRenderingContext2D) => void} draw */
function picture(draw) {
  const canvas = el('canvas', {class: 'symbol', width: SIDE * 2, height: SIDE * 2, 'aria-hidden': 'true'});
  const context = canvas.getContext('2d');
  if (context) {
    context.scale(2, 2);
    context.translate(SIDE / 2, SIDE / 2);
    draw(context);
  }
  return canvas;
}

/** The mark of a case. @param {string} risk */
export function markOf(risk) {
  const mark = MARKS[/** @type {keyof typeof MARKS} */ (risk)];
  return picture(context => {
    context.beginPath();
    SHAPES[mark.shape](context, mark.radius - 1);
    context.fillStyle = token(risk);
    context.fill();
  });
}

/** The look of one class of a layer. @param {import('../map/thematic.js').LayerInfo} layer @param {string} value */
export function swatchOf(layer, value) {
  const draw = layer.style?.draw;
  return picture(context => {
    context.beginPath();
    if (draw === 'line' || draw === 'outline') context.rect(-8, -1.5, 16, 3);
    else if (draw === 'fill') context.rect(-7, -5, 14, 10);
    else SHAPES.circle(context, 5);
    context.fillStyle = colourOf(layer, value);
    context.fill();
  });
}

/** A list of marks with words. @param {string[]} risks @param {(risk: string) => string} word */
export function markList(risks, word) {
  const list = el('ul', {class: 'mark-list'});
  append(list, ...risks.map(risk => el('li', null, markOf(risk), word(risk))));
  return list;
}
