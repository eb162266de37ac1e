// A selection as state and as an address.

/** @typedef {[number, number, number, number]} Box  west, south, east, north */
/** @typedef {{name: string, title: string, level: string, kind: string}} Column */
/** @typedef {import('../map/thematic.js').LayerInfo & {columns: Column[], classes: {value: string, label: string}[], exportable: boolean, locked: boolean}} Offered */
/**
 * @typedef {object} Choice
 * @property {string} layer
 * @property {string} area  a code; the caller's whole area at first
 * @property {Box | null} bbox
 * @property {string[] | null} columns  null: all
 * @property {string[]} classes  empty: all
 * @property {string} crs
 * @property {string} format
 */

export const FORMATS = ['geojson', 'gpkg', 'csv', 'xlsx', 'html'];

/**
 * Read an address; what makes no sense is as if it were not there.
 *
 * @param {string} search
 * @param {Pick<Offered, 'id' | 'columns'>[]} layers
 * @param {string} root
 * @returns {Choice}
 */
export function readChoice(search, layers, root) {
  const query = new URLSearchParams(search);
  const layer = layers.find(one => one.id === query.get('layer')) ?? layers.find(one => one.id === 'grid') ?? layers[0];
  const names = new Set(layer.columns.map(column => column.name));
  const columns = (query.get('columns') ?? '').split(',').filter(name => names.has(name));
  const area = query.get('area') ?? '';
  const format = query.get('format') ?? '';
  const crs = query.get('crs') ?? '';
  return {
    layer: layer.id,
    area: /^\d{6,15}$/.test(area) ? area : root,
    bbox: readBox(query.get('bbox')),
    columns: columns.length ? columns : null,
    classes: (query.get('class') ?? '').split(',').filter(Boolean),
    crs: /^(CRS84|EPSG:\d{4,6})$/.test(crs) ? crs : 'CRS84',
    format: FORMATS.includes(format) ? format : 'geojson',
  };
}

/** @param {string | null} text @returns {Box | null} */
export function readBox(text) {
  const parts = (text ?? '').split(',').map(Number);
  const [west, south, east, north] = parts;
  if (parts.length !== 4 || parts.some(part => !Number.isFinite(part)) || west >= east || south >= north) return null;
  return [west, south, east, north];
}

/** The query of the file that a choice asks for. @param {Choice} choice */
export function queryOf({area, bbox, columns, classes, crs, format}) {
  return {
    area,
    bbox: bbox ? bbox.map(side => side.toFixed(6)).join(',') : '',
    columns: columns ? columns.join(',') : '',
    class: classes.join(','),
    crs: format === 'geojson' || format === 'html' || crs === 'CRS84' ? '' : crs,
  };
}

/** The query of the page. @param {Choice} choice */
export function writeChoice(choice) {
  const query = new URLSearchParams({layer: choice.layer, format: choice.format});
  for (const [name, value] of Object.entries({...queryOf(choice), crs: choice.crs === 'CRS84' ? '' : choice.crs})) {
    if (value) query.set(name, value);
  }
  return `?${query}`;
}
