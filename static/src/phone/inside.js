// Whether a point lies in a shape, asked where there is no network.

/** @typedef {[number, number]} Point  longitude, latitude */
/** @typedef {{type: string, coordinates: any}} Shape  a Polygon or a MultiPolygon of GeoJSON */

/** Even-odd: how often a ray to the east crosses the rings, holes included. @param {Point} point @param {Point[][]} rings */
function isInRings([x, y], rings) {
  let isIn = false;
  for (const ring of rings) {
    for (let k = 0, before = ring.length - 1; k < ring.length; before = k, k += 1) {
      const [[x1, y1], [x2, y2]] = [ring[k], ring[before]];
      if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) isIn = !isIn;
    }
  }
  return isIn;
}

/** @param {Shape} shape @param {number} lon @param {number} lat */
export function isInside({type, coordinates}, lon, lat) {
  const polygons = type === 'MultiPolygon' ? coordinates : [coordinates];
  return polygons.some((/** @type {Point[][]} */ rings) => isInRings([lon, lat], rings));
}
