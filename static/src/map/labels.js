// Names on the map, with the browser's fonts. Chinese names follow their street one
// character at a time, and stand upright where the street runs north to south.

import Point from '@mapbox/point-geometry';

/** @typedef {import('protomaps-leaflet').Feature} Feature */
/** @typedef {import('protomaps-leaflet').Layout} Layout */
/** @typedef {import('protomaps-leaflet').Label} Label */
/** @typedef {{x: number, y: number}} XY */

const FAMILY = '"Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif';
const HAN = /^[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef·]+$/;
/** More bend than this between two characters looks broken. */
const BEND = Math.PI / 7;
/** From this slope on a Chinese name is written downwards. */
const STEEP = (58 * Math.PI) / 180;

export const fontOf = (/** @type {number} */ size, /** @type {number} */ weight = 400) => `${weight} ${size}px ${FAMILY}`;

/** The name in the reader's language. @param {'zh' | 'en'} lang @returns {(feature: Feature) => string} */
export function nameIn(lang) {
  return feature => {
    const props = feature.props;
    const own = lang === 'en' ? props.name_en ?? props['name:en'] : props.name_zh ?? props['name:zh'];
    return String(own || props.name || '').trim();
  };
}

/** Break a long name into lines of about equal length. @param {string} text @param {number} most */
export function lines(text, most) {
  if (HAN.test(text)) {
    if (text.length <= most) return [text];
    const rows = Math.ceil(text.length / most);
    const each = Math.ceil(text.length / rows);
    return Array.from({length: rows}, (_, row) => text.slice(row * each, (row + 1) * each));
  }
  /** @type {string[]} */
  const rows = [];
  for (const word of text.split(' ')) {
    const last = rows[rows.length - 1];
    if (last !== undefined && (last.length + word.length + 1) <= most * 2) rows[rows.length - 1] = `${last} ${word}`;
    else rows.push(word);
  }
  return rows;
}

/** @param {CanvasRenderingContext2D} context @param {string} halo @param {number} width */
function haloInk(context, halo, width) {
  context.strokeStyle = halo;
  context.lineWidth = width;
  context.lineJoin = 'round';
  context.miterLimit = 2;
}

/**
 * A name at a point (or in the middle of a polygon), centred, with an optional dot above it.
 *
 * @param {{name: (feature: Feature) => string, size: number | ((feature: Feature, zoom: number) => number), weight?: number, colour: string, halo: string,
 *   spacing?: number, dot?: string | null, below?: number, most?: number, key?: (feature: Feature) => string, apart?: number}} options
 * @returns {import('protomaps-leaflet').LabelSymbolizer}
 */
export function pointLabel({name, size, weight = 500, colour, halo, spacing = 0, dot = null, below = 0, most = 8, key, apart = 200}) {
  return {
    place(/** @type {Layout} */ layout, /** @type {Point[][]} */ geom, /** @type {Feature} */ feature) {
      const text = name(feature);
      if (!text) return undefined;
      const height = typeof size === 'function' ? size(feature, layout.zoom) : size;
      const font = fontOf(height, weight);
      const rows = lines(text, most);
      layout.scratch.font = font;
      const widths = rows.map(row => layout.scratch.measureText(row).width + spacing * (row.length - 1));
      const width = Math.max(...widths);
      const leading = height * 1.2;
      const centre = middleOf(geom, feature.geomType);
      const top = below || (dot ? 6 : -(leading * rows.length) / 2);
      const box = {minX: centre.x - width / 2 - 3, maxX: centre.x + width / 2 + 3, minY: centre.y + Math.min(top, -4) - 2, maxY: centre.y + top + leading * rows.length + 2};
      return [{
        anchor: centre,
        bboxes: [box],
        deduplicationKey: key ? key(feature) : text,
        deduplicationDistance: apart,
        draw(/** @type {CanvasRenderingContext2D} */ context) {
          context.font = font;
          context.textBaseline = 'middle';
          context.textAlign = 'left';
          if (dot) drawDot(context, dot, halo);
          rows.forEach((row, place) => drawRow(context, row, {x: -widths[place] / 2, y: top + leading * (place + 0.5)}, {colour, halo, spacing}));
        },
      }];
    },
  };
}

/** @param {CanvasRenderingContext2D} context @param {string} colour @param {string} halo */
function drawDot(context, colour, halo) {
  context.beginPath();
  context.arc(0, 0, 2.5, 0, 2 * Math.PI);
  haloInk(context, halo, 2);
  context.stroke();
  context.fillStyle = colour;
  context.fill();
}

/** @param {CanvasRenderingContext2D} context @param {string} row @param {XY} at @param {{colour: string, halo: string, spacing: number}} ink */
function drawRow(context, row, at, {colour, halo, spacing}) {
  haloInk(context, halo, 2.6);
  context.fillStyle = colour;
  if (!spacing) {
    context.strokeText(row, at.x, at.y);
    context.fillText(row, at.x, at.y);
    return;
  }
  let x = at.x;
  for (const character of row) {
    context.strokeText(character, x, at.y);
    context.fillText(character, x, at.y);
    x += context.measureText(character).width + spacing;
  }
}

/** @param {Point[][]} geom @param {number} geomType */
function middleOf(geom, geomType) {
  if (geomType === 1) return new Point(geom[0][0].x, geom[0][0].y);
  const ring = geom.reduce((longest, part) => (part.length > longest.length ? part : longest));
  const [xs, ys] = [ring.map(point => point.x), ring.map(point => point.y)];
  return new Point((Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2);
}

/**
 * A name along a line.
 *
 * @param {{name: (feature: Feature) => string, size: number, weight?: number, colour: string, halo: string, apart?: number}} options
 * @returns {import('protomaps-leaflet').LabelSymbolizer}
 */
export function pathLabel({name, size, weight = 400, colour, halo, apart = 420}) {
  const font = fontOf(size, weight);
  return {
    place(/** @type {Layout} */ layout, /** @type {Point[][]} */ geom, /** @type {Feature} */ feature) {
      const text = name(feature);
      if (!text) return undefined;
      layout.scratch.font = font;
      const gap = HAN.test(text) ? 2 : 0;
      const widths = [...text].map(character => layout.scratch.measureText(character).width + gap);
      const labels = geom.flatMap(part => alongLine(part, widths, HAN.test(text), apart));
      return labels.map(glyphs => labelOf(glyphs, [...text], {font, size, colour, halo, key: text, apart}));
    },
  };
}

/** @typedef {{x: number, y: number, turn: number}} Glyph */

/**
 * Places for the characters of a name along one line: the middle first, then further out.
 *
 * @param {XY[]} path
 * @param {number[]} widths
 * @param {boolean} isHan
 * @param {number} apart
 * @returns {Glyph[][]}
 */
export function alongLine(path, widths, isHan, apart) {
  const need = widths.reduce((sum, width) => sum + width, 0);
  const reach = distances(path);
  const total = reach[reach.length - 1];
  if (total < need * 1.1) return [];
  const start = (total - need) / 2;
  const starts = [start];
  for (let step = apart; start - step > need * 0.2; step += apart) starts.push(start - step, start + step);
  return starts.map(at => glyphsAt(path, reach, at, widths, isHan)).filter(glyphs => glyphs !== null);
}

/** Distance from the start at each vertex. @param {XY[]} path */
function distances(path) {
  const reach = [0];
  for (let place = 1; place < path.length; place += 1) {
    reach.push(reach[place - 1] + Math.hypot(path[place].x - path[place - 1].x, path[place].y - path[place - 1].y));
  }
  return reach;
}

/** @param {XY[]} path @param {number[]} reach @param {number} at */
function pointAt(path, reach, at) {
  let place = 1;
  while (place < reach.length - 1 && reach[place] < at) place += 1;
  const [a, b] = [path[place - 1], path[place]];
  const share = (at - reach[place - 1]) / (reach[place] - reach[place - 1] || 1);
  return {x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share};
}

/** @param {XY[]} path @param {number[]} reach @param {number} start @param {number[]} widths @param {boolean} isHan @returns {Glyph[] | null} */
function glyphsAt(path, reach, start, widths, isHan) {
  const need = widths.reduce((sum, width) => sum + width, 0);
  const [from, to] = [pointAt(path, reach, start), pointAt(path, reach, start + need)];
  const slope = Math.atan2(to.y - from.y, to.x - from.x);
  const isSteep = isHan && Math.abs(Math.abs(slope) - Math.PI / 2) < Math.PI / 2 - STEEP;
  const isBackwards = isSteep ? to.y < from.y : to.x < from.x;
  /** @type {Glyph[]} */
  const glyphs = [];
  let done = 0;
  for (const width of widths) {
    const middle = isBackwards ? start + need - done - width / 2 : start + done + width / 2;
    const [before, after] = [pointAt(path, reach, Math.max(0, middle - width / 2)), pointAt(path, reach, middle + width / 2)];
    const angle = Math.atan2(after.y - before.y, after.x - before.x) + (isBackwards ? Math.PI : 0);
    const turn = normal(isSteep ? angle - Math.PI / 2 : angle);
    if (glyphs.length && Math.abs(normal(turn - glyphs[glyphs.length - 1].turn)) > BEND) return null;
    glyphs.push({...pointAt(path, reach, middle), turn});
    done += width;
  }
  return glyphs;
}

const normal = (/** @type {number} */ angle) => Math.atan2(Math.sin(angle), Math.cos(angle));

/** @param {Glyph[]} glyphs @param {string[]} characters @param {{font: string, size: number, colour: string, halo: string, key: string, apart: number}} ink @returns {Label} */
function labelOf(glyphs, characters, {font, size, colour, halo, key, apart}) {
  const anchor = new Point(glyphs[0].x, glyphs[0].y);
  const half = size * 0.62;
  return {
    anchor,
    bboxes: glyphs.map(({x, y}) => ({minX: x - half, minY: y - half, maxX: x + half, maxY: y + half})),
    deduplicationKey: key,
    deduplicationDistance: apart,
    draw(context) {
      context.font = font;
      context.textBaseline = 'middle';
      context.textAlign = 'center';
      haloInk(context, halo, 2.6);
      context.fillStyle = colour;
      for (const stroke of [true, false]) {
        glyphs.forEach(({x, y, turn}, place) => {
          context.save();
          context.translate(x - anchor.x, y - anchor.y);
          context.rotate(turn);
          if (stroke) context.strokeText(characters[place], 0, 0);
          else context.fillText(characters[place], 0, 0);
          context.restore();
        });
      }
    },
  };
}
