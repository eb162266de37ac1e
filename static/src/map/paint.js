// Symbolizers: what to do with a feature on a canvas. Sizes may be functions of the zoom.

/** @typedef {import('protomaps-leaflet').Feature} Feature */
/** @typedef {{x: number, y: number}[][]} Geom */
/** @typedef {string | ((feature: Feature) => string | null)} Colour */

const colourOf = (/** @type {Colour} */ colour, /** @type {Feature} */ feature) => (typeof colour === 'function' ? colour(feature) : colour);

/** @param {CanvasRenderingContext2D} context @param {Geom} geom @param {boolean} isClosed */
function trace(context, geom, isClosed) {
  context.beginPath();
  for (const part of geom) {
    part.forEach((point, place) => (place ? context.lineTo(point.x, point.y) : context.moveTo(point.x, point.y)));
    if (isClosed) context.closePath();
  }
}

/**
 * Filled polygons; lines of the same layer are left to `line`.
 *
 * @param {{fill?: Colour, edge?: Colour | null, width?: number, alpha?: number}} options
 */
export function polygon({fill, edge = null, width = 1, alpha = 1}) {
  return {
    draw(/** @type {CanvasRenderingContext2D} */ context, /** @type {Geom} */ geom, /** @type {number} */ _zoom, /** @type {Feature} */ feature) {
      if (feature.geomType !== 3) return;
      trace(context, geom, true);
      const inside = fill ? colourOf(fill, feature) : null;
      if (inside) {
        context.globalAlpha = alpha;
        context.fillStyle = inside;
        context.fill();
      }
      const outline = edge && colourOf(edge, feature);
      if (outline) {
        context.globalAlpha = 1;
        context.strokeStyle = outline;
        context.lineWidth = width;
        context.lineJoin = 'round';
        context.stroke();
      }
      context.globalAlpha = 1;
    },
  };
}

/**
 * @param {{colour: Colour, width: (zoom: number) => number, dash?: number[] | null, cap?: CanvasLineCap}} options
 */
export function line({colour, width, dash = null, cap = 'round'}) {
  return {
    draw(/** @type {CanvasRenderingContext2D} */ context, /** @type {Geom} */ geom, /** @type {number} */ zoom, /** @type {Feature} */ feature) {
      if (feature.geomType === 1) return;
      const size = width(zoom);
      const ink = colourOf(colour, feature);
      if (size <= 0 || !ink) return;
      context.strokeStyle = ink;
      context.lineWidth = size;
      context.lineCap = cap;
      context.lineJoin = 'round';
      if (dash) context.setLineDash(dash);
      trace(context, geom, false);
      context.stroke();
      if (dash) context.setLineDash([]);
    },
  };
}

/** Draw the outline of a symbol around 0, 0. @type {Record<string, (context: CanvasRenderingContext2D, radius: number) => void>} */
export const SHAPES = {
  circle: (context, radius) => context.arc(0, 0, radius, 0, 2 * Math.PI),
  square: (context, radius) => context.rect(-radius * 0.88, -radius * 0.88, radius * 1.76, radius * 1.76),
  diamond: (context, radius) => {
    const reach = radius * 1.25;
    context.moveTo(0, -reach); context.lineTo(reach, 0); context.lineTo(0, reach); context.lineTo(-reach, 0); context.closePath();
  },
  triangle: (context, radius) => {
    const reach = radius * 1.3;
    context.moveTo(0, -reach); context.lineTo(reach * 0.95, reach * 0.72); context.lineTo(-reach * 0.95, reach * 0.72); context.closePath();
  },
  cross: (context, radius) => {
    const arm = radius * 0.42;
    context.moveTo(-arm, -radius); context.lineTo(arm, -radius); context.lineTo(arm, -arm); context.lineTo(radius, -arm); context.lineTo(radius, arm);
    context.lineTo(arm, arm); context.lineTo(arm, radius); context.lineTo(-arm, radius); context.lineTo(-arm, arm); context.lineTo(-radius, arm);
    context.lineTo(-radius, -arm); context.lineTo(-arm, -arm); context.closePath();
  },
};

/**
 * Points as symbols.
 *
 * @param {{colour: (feature: Feature) => string, shape?: (feature: Feature) => string, radius: (zoom: number, feature: Feature) => number, edge: string}} options
 */
export function symbol({colour, shape = () => 'circle', radius, edge}) {
  return {
    draw(/** @type {CanvasRenderingContext2D} */ context, /** @type {Geom} */ geom, /** @type {number} */ zoom, /** @type {Feature} */ feature) {
      if (feature.geomType !== 1) return;
      const size = radius(zoom, feature);
      context.fillStyle = colour(feature);
      context.strokeStyle = edge;
      context.lineWidth = size > 3 ? 1.5 : 0.75;
      for (const [point] of geom) {
        context.save();
        context.translate(point.x, point.y);
        context.beginPath();
        (SHAPES[shape(feature)] ?? SHAPES.circle)(context, size);
        context.fill();
        context.stroke();
        context.restore();
      }
    },
  };
}

/** A width that grows between zoom levels: `grow([[8, 0.5], [14, 4]])`. @param {[number, number][]} stops @returns {(zoom: number) => number} */
export function grow(stops) {
  return zoom => {
    if (zoom <= stops[0][0]) return stops[0][1];
    for (let place = 1; place < stops.length; place += 1) {
      const [[z0, v0], [z1, v1]] = [stops[place - 1], stops[place]];
      if (zoom <= z1) return v0 + ((v1 - v0) * (zoom - z0)) / (z1 - z0);
    }
    return stops[stops.length - 1][1];
  };
}
