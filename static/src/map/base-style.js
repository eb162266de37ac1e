// Rules of the base map: what is drawn of the tile layer `base`, in which order.
// A feature says its kind in `class`.

import {grow, line, polygon} from './paint.js';
import {nameIn, pathLabel, pointLabel} from './labels.js';
import {ROAD_NAMES} from './source.js';

/** @typedef {import('protomaps-leaflet').Feature} Feature */
/** @typedef {import('./palette.js').Palette} Palette */

export const BASE = 'base';

const kindOf = (/** @type {Feature} */ feature) => String(feature.props.class ?? feature.props.kind ?? '').replace(/_link$/, '');
const among = (/** @type {string[]} */ ...kinds) => {
  const set = new Set(kinds);
  return (/** @type {number} */ _zoom, /** @type {Feature} */ feature) => set.has(kindOf(feature));
};

/** @type {[keyof Palette, string[]][]} */
const GROUND = [
  ['farmland', ['farmland', 'farmyard', 'orchard', 'vineyard', 'allotments', 'plant_nursery', 'greenhouse_horticulture']],
  ['built', ['residential', 'commercial', 'retail', 'construction', 'brownfield', 'garages', 'mixed']],
  ['industrial', ['industrial', 'railway', 'port', 'depot', 'quarry', 'landfill', 'military']],
  ['civic', ['school', 'university', 'college', 'hospital', 'kindergarten', 'religious', 'public', 'civic', 'education', 'institutional', 'parking', 'plaza', 'square', 'pedestrian']],
  ['wood', ['forest', 'wood', 'scrub']],
  ['grass', ['grass', 'meadow', 'grassland', 'heath', 'village_green', 'greenfield', 'cemetery', 'recreation_ground', 'greenery']],
  ['park', ['park', 'garden', 'pitch', 'golf_course', 'playground', 'sports_centre', 'stadium', 'nature_reserve', 'common', 'dog_park', 'track']],
  ['bare', ['bare_rock', 'scree', 'sand', 'beach', 'shingle', 'glacier', 'rock']],
  ['water', ['wetland', 'basin', 'reservoir', 'salt_pond']],
];

/** Road classes from the least to the greatest. @type {{kinds: string[], fill: keyof Palette, casing: keyof Palette | null, from: number, width: [number, number][]}[]} */
const ROADS = [
  {kinds: ['track'], fill: 'path', casing: null, from: 14, width: [[14, 0.6], [18, 2]]},
  {kinds: ['path', 'footway', 'cycleway', 'steps', 'bridleway', 'corridor'], fill: 'path', casing: null, from: 15, width: [[15, 0.6], [18, 2]]},
  {kinds: ['service', 'alley'], fill: 'road', casing: 'casing', from: 14, width: [[14, 0.7], [16, 2.2], [18, 6]]},
  {kinds: ['residential', 'unclassified', 'living_street', 'pedestrian', 'road', 'local', 'minor'], fill: 'road', casing: 'casing', from: 12, width: [[12, 0.6], [14, 2], [16, 5], [18, 12]]},
  {kinds: ['tertiary'], fill: 'road', casing: 'casing', from: 11, width: [[11, 0.8], [13, 2], [14, 3.2], [16, 7], [18, 16]]},
  {kinds: ['secondary'], fill: 'major', casing: 'majorCasing', from: 9, width: [[9, 0.6], [12, 1.8], [14, 4], [16, 9], [18, 19]]},
  {kinds: ['primary'], fill: 'major', casing: 'majorCasing', from: 8, width: [[8, 0.7], [11, 1.8], [14, 5], [16, 10.5], [18, 22]]},
  {kinds: ['trunk', 'motorway'], fill: 'motorway', casing: 'motorwayCasing', from: 6, width: [[6, 0.7], [10, 1.8], [14, 5.5], [16, 11], [18, 24]]},
];

/**
 * The ground: everything below the thematic layers.
 *
 * @param {Palette} colours
 * @returns {import('protomaps-leaflet').PaintRule[]}
 */
export function groundRules(colours) {
  const shade = (/** @type {string} */ name) => /** @type {string} */ (colours[/** @type {keyof Palette} */ (name)]);
  return [
    ...GROUND.map(([name, kinds]) => rule('landuse', polygon({fill: shade(name)}), {filter: among(...kinds)})),
    rule('water', polygon({fill: colours.water, edge: colours.waterEdge, width: 0.6})),
    rule('water', line({colour: colours.water, width: grow([[10, 1], [13, 2], [16, 6], [18, 12]])}), {filter: lineOf('river', 'canal')}),
    rule('water', line({colour: colours.water, width: grow([[13, 0.7], [16, 2], [18, 4]])}), {minzoom: 13, filter: lineOf('stream', 'ditch', 'drain')}),
    rule('buildings', polygon({fill: colours.building, edge: colours.buildingEdge, width: 0.6}), {minzoom: 14}),
    ...ROADS.filter(road => road.casing).map(road => rule('roads',
      line({colour: shade(/** @type {string} */ (road.casing)), width: zoom => grow(road.width)(zoom) + (zoom < 14 ? 1 : 1.6), cap: 'butt'}), {minzoom: Math.max(road.from, 11), filter: among(...road.kinds)})),
    ...ROADS.map(road => rule('roads', line({colour: shade(road.fill), width: grow(road.width)}), {minzoom: road.from, filter: among(...road.kinds)})),
    rule('roads', line({colour: colours.rail, width: grow([[9, 0.8], [14, 1.6], [18, 3]])}), {minzoom: 9, filter: among(...RAIL)}),
    rule('roads', line({colour: colours.railGap, width: grow([[12, 0], [14, 0.8], [18, 1.8]]), dash: [7, 7], cap: 'butt'}), {minzoom: 13, filter: among(...RAIL)}),
    rule('boundaries', line({colour: colours.boundary, width: grow([[8, 0.8], [14, 1.4]]), dash: [8, 3, 2, 3], cap: 'butt'})),
  ];
}

const RAIL = ['rail', 'railway', 'light_rail', 'subway', 'tram', 'narrow_gauge'];

const lineOf = (/** @type {string[]} */ ...kinds) => {
  const has = among(...kinds);
  return (/** @type {number} */ zoom, /** @type {Feature} */ feature) => feature.geomType === 2 && has(zoom, feature);
};

/**
 * @template S
 * @param {string} layer
 * @param {S} symbolizer
 * @param {{minzoom?: number, maxzoom?: number, filter?: import('protomaps-leaflet').Filter}} [more]
 */
const rule = (layer, symbolizer, more = {}) => ({dataSource: BASE, dataLayer: layer, symbolizer, ...more});

/** Place classes from the greatest to the least. @type {{kinds: string[], from: number, to?: number, size: number, weight: number, minor?: boolean, spacing?: number}[]} */
const PLACES = [
  {kinds: ['city', 'county'], from: 6, to: 15, size: 18, weight: 700, spacing: 3},
  {kinds: ['town', 'street', 'district'], from: 9, to: 16, size: 15, weight: 600, spacing: 2},
  {kinds: ['village', 'suburb', 'borough'], from: 11, to: 17, size: 13, weight: 600, spacing: 1},
  {kinds: ['community', 'quarter', 'neighbourhood', 'hamlet'], from: 13, size: 12, weight: 500, minor: true},
  {kinds: ['locality', 'isolated_dwelling', 'farm'], from: 15, size: 11, weight: 400, minor: true},
];

/** @type {{kinds: string[], from: number, size: number, weight: number}[]} */
const ROAD_LABELS = [
  {kinds: ['trunk', 'motorway', 'primary'], from: 12, size: 12, weight: 500},
  {kinds: ['secondary'], from: 13, size: 12, weight: 500},
  {kinds: ['tertiary'], from: 15, size: 11.5, weight: 400},
  {kinds: ['residential', 'unclassified', 'living_street', 'pedestrian', 'road', 'local', 'minor', 'service', 'alley'], from: 16, size: 11, weight: 400},
];

/**
 * Names, above the thematic layers.
 *
 * @param {Palette} colours
 * @param {'zh' | 'en'} lang
 * @returns {import('protomaps-leaflet').LabelRule[]}
 */
export function nameRules(colours, lang) {
  const name = nameIn(lang);
  const halo = colours.halo;
  return [
    ...PLACES.map(place => rule('places', pointLabel({
      name, size: place.size, weight: place.weight, spacing: lang === 'zh' ? place.spacing : 0, halo,
      colour: place.minor ? colours.placeMinor : colours.place,
    }), {minzoom: place.from, maxzoom: place.to, filter: among(...place.kinds)})),
    rule('water', pathLabel({name, size: 12, colour: colours.waterName, halo, apart: 500}), {minzoom: 12, filter: lineOf('river', 'canal', 'stream')}),
    rule('water', pointLabel({name, size: 12, weight: 400, colour: colours.waterName, halo, apart: 500}), {minzoom: 13, filter: (_zoom, feature) => feature.geomType === 3}),
    ...ROAD_LABELS.map(road => rule(ROAD_NAMES, pathLabel({name, size: road.size, weight: road.weight, colour: colours.roadName, halo}),
      {minzoom: road.from, filter: among(...road.kinds)})),
    rule('places', pointLabel({name, size: 11, weight: 400, colour: colours.poi, halo, dot: colours.poi, most: 7}), {minzoom: 15, filter: (_zoom, feature) => !PLACE_KINDS.has(kindOf(feature))}),
  ];
}

/** Names of the duty grids, from the zoom on where each has room for it. @param {Palette} colours @returns {import('protomaps-leaflet').LabelRule[]} */
export function gridNames(colours) {
  const symbolizer = pointLabel({
    name: feature => String(feature.props.name ?? ''), size: 11.5, weight: 600, colour: colours.gridName, halo: colours.halo, most: 12,
    key: feature => `grid ${feature.props.code}`, apart: 700,
  });
  return [{dataSource: 'grid', dataLayer: 'grid', minzoom: 15, symbolizer}];
}

const PLACE_KINDS = new Set(PLACES.flatMap(place => place.kinds));
