// The one map. Leaflet moves it, our canvas layers draw it; callers never meet either.

import {Map as LeafletMap, Util, control, latLngBounds} from 'leaflet';
import {isDark, onTheme} from '../lib/theme.js';
import {BASE, gridNames, groundRules, nameRules} from './base-style.js';
import {GRID, choroplethRules, outlineRules} from './choropleth.js';
import {IncidentLayer} from './incidents.js';
import {palette} from './palette.js';
import {createSource} from './source.js';
import {thematicNames, thematicRules} from './thematic.js';
import {createVectorLayer, createView} from './vector.js';

Util.emptyImageUrl = new URL(typeof __EMPTY_GIF__ === 'string' ? __EMPTY_GIF__ : 'empty.gif', import.meta.url).href;

/** Panes from below; names lie above the data so that they stay readable. */
const PANES = {ground: 200, theme: 210, layers: 220, names: 230, outline: 240, incidents: 620};

/** @typedef {{code: string, name: string, isAbove?: boolean}} GridHit */
/** @typedef {{layer: string, props: Record<string, any>}} FeatureHit */
/** @typedef {[number, number, number, number]} Box  west, south, east, north */

/**
 * `bounds` is what is shown first, `room` the city that one may move in and tiles exist for.
 *
 * @param {HTMLElement} element
 * @param {{
 *   tiles?: string, grid?: string | null, lang: 'zh' | 'en', bounds: Box, room?: Box, center?: [number, number] | null, zoom?: number | null,
 *   attribution?: string | null, maxZoom?: number, maxDataZoom?: number, controls?: boolean, markScale?: number, zoomTitles?: [string, string], padding?: () => {left: number, top: number, right: number, bottom: number},
 *   onMove?: (place: {lon: number, lat: number, zoom: number}) => void,
 *   onClick?: (hit: {x: number, y: number, lon: number, lat: number, incidents: import('./incidents.js').Marked[], features: FeatureHit[], grid: GridHit | null}) => void,
 *   onHover?: (hit: {x: number, y: number, incidents: import('./incidents.js').Marked[], features: FeatureHit[], grid: GridHit | null} | null) => void,
 *   onLayerState?: (layer: string, state: {loading: number, failed: number}) => void,
 * }} options
 */
export function createMap(element, options) {
  const {tiles = '/tiles/base/{z}/{x}/{y}.mvt', lang, bounds, room = bounds, attribution, maxZoom = 19, maxDataZoom = 15, controls = true} = options;
  const map = new LeafletMap(element, {
    zoomControl: false, attributionControl: false, keyboard: true, maxZoom, minZoom: 7, wheelPxPerZoomLevel: 100, zoomSnap: 1,
    maxBounds: roomy(room), maxBoundsViscosity: 0.6,
  });
  for (const [name, level] of Object.entries(PANES)) map.createPane(name).style.zIndex = String(level);

  const reach = /** @type {Box} */ (roomyBox(room, 0.25));
  const source = (/** @type {string} */ id, /** @type {string} */ url) =>
    createView(createSource(url, {bounds: reach, onState: state => options.onLayerState?.(id, {...state})}), maxDataZoom);

  let figures = /** @type {{values: Record<string, number | string>, breaks: number[]} | null} */ (null);
  let marks = {hovered: /** @type {string | null} */ (null), selected: /** @type {string | null} */ (null)};
  let isGridShown = Boolean(options.grid);

  const colours = () => palette(isDark());
  const baseViews = new Map([[BASE, source(BASE, tiles)]]);
  const gridViews = new Map(options.grid ? [[GRID, source(GRID, options.grid)]] : []);
  const ground = createVectorLayer({views: baseViews, paintRules: groundRules(colours()), pane: 'ground'});
  const theme = createVectorLayer({views: gridViews, paintRules: choroplethRules(null, isDark()), pane: 'theme'});
  /** @type {Map<string, {info: import('./thematic.js').LayerInfo, layer: import('./vector.js').VectorLayer}>} */
  const shown = new Map();
  // All names share one index, so that none lies on another.
  const labelRules = () => [
    ...nameRules(colours(), lang), ...(isGridShown ? gridNames(colours()) : []), ...[...shown.values()].flatMap(({info}) => thematicNames(info, lang)),
  ];
  const names = createVectorLayer({views: new Map([...baseViews, ...gridViews]), labelRules: labelRules(), pane: 'names'});
  const outline = createVectorLayer({views: gridViews, paintRules: outlineRules(marks), pane: 'outline'});
  const incidents = new IncidentLayer({pane: 'incidents', scale: options.markScale ?? 1});

  setBackground();
  if (options.center && options.zoom) map.setView([options.center[1], options.center[0]], options.zoom, {animate: false});
  else fitBox(bounds, false);
  ground.addTo(map);
  if (options.grid) { theme.addTo(map); outline.addTo(map); }
  names.addTo(map);
  incidents.addTo(map);
  if (controls) addControls();
  fade();

  /** In a corner Leaflet puts what comes later above what came first. */
  function addControls() {
    if (attribution) control.attribution({position: 'bottomright', prefix: false}).addAttribution(asText(attribution)).addTo(map);
    control.scale({position: 'bottomright', imperial: false, maxWidth: 110}).addTo(map);
    control.zoom({position: 'bottomright', zoomInTitle: options.zoomTitles?.[0], zoomOutTitle: options.zoomTitles?.[1]}).addTo(map);
  }

  function setBackground() {
    element.style.background = colours().land;
  }

  /** The further in, the more of the city shows through the theme. */
  function fade() {
    const zoom = map.getZoom();
    const pane = map.getPane('theme');
    if (pane) pane.style.opacity = String(zoom >= 17 ? 0.26 : zoom >= 16 ? 0.4 : zoom >= 15 ? 0.58 : 0.78);
  }

  /** @param {Box} box @param {boolean} [animate] */
  function fitBox([west, south, east, north], animate = true) {
    const pad = options.padding?.() ?? {left: 0, top: 0, right: 0, bottom: 0};
    map.fitBounds(latLngBounds([south, west], [north, east]), {
      animate, paddingTopLeft: [pad.left + 16, pad.top + 16], paddingBottomRight: [pad.right + 16, pad.bottom + 16], maxZoom: 17,
    });
  }

  /** What lies under a place. @param {import('leaflet').LeafletMouseEvent} event */
  function hitsAt({latlng, containerPoint}) {
    const features = [];
    for (const [id, {info, layer}] of shown) {
      // What is only an outline has no inside to press.
      if (info.style?.draw === 'outline') continue;
      for (const feature of layer.featuresAt(id, latlng, 8).reverse()) features.push({layer: id, props: {...feature.props}});
    }
    const cell = isGridShown || figures ? theme.featuresAt(GRID, latlng, 0)[0] : undefined;
    const grid = cell ? {code: String(cell.props.code), name: String(cell.props.name ?? cell.props.code)} : null;
    return {incidents: incidents.at(containerPoint), features, grid};
  }

  map.on('zoomend', fade);
  map.on('moveend', () => {
    const {lat, lng} = map.getCenter();
    options.onMove?.({lon: lng, lat, zoom: map.getZoom()});
  });
  map.on('click', event => {
    element.focus({preventScroll: true});
    options.onClick?.({x: event.containerPoint.x, y: event.containerPoint.y, lon: event.latlng.lng, lat: event.latlng.lat, ...hitsAt(event)});
  });
  if (options.onHover) {
    let waiting = /** @type {import('leaflet').LeafletMouseEvent | null} */ (null);
    map.on('mousemove', event => {
      if (!waiting) requestAnimationFrame(() => {
        if (waiting) hover(waiting);
        waiting = null;
      });
      waiting = event;
    });
    map.on('mouseout movestart', () => {
      waiting = null;
      mark({hovered: null});
      options.onHover?.(null);
    });
  }

  /** @param {import('leaflet').LeafletMouseEvent} event */
  function hover(event) {
    const hit = hitsAt(event);
    element.classList.toggle('is-pointing', Boolean(hit.incidents.length || hit.features.length || hit.grid));
    mark({hovered: hit.incidents.length ? null : hit.grid?.code ?? null});
    options.onHover?.({x: event.containerPoint.x, y: event.containerPoint.y, ...hit});
  }

  /** @param {Partial<typeof marks>} patch */
  function mark(patch) {
    const next = {...marks, ...patch};
    if (next.hovered === marks.hovered && next.selected === marks.selected) return;
    marks = next;
    if (options.grid) outline.restyle({paintRules: outlineRules(marks)});
  }

  function repaint() {
    setBackground();
    ground.restyle({paintRules: groundRules(colours())});
    names.restyle({labelRules: labelRules()});
    paintTheme();
    if (options.grid) outline.restyle({paintRules: outlineRules(marks)});
    for (const {info, layer} of shown.values()) layer.restyle({paintRules: thematicRules(info)});
    incidents.redraw();
  }

  function paintTheme() {
    if (options.grid) theme.restyle({paintRules: figures || isGridShown ? choroplethRules(figures, isDark()) : []});
  }

  const stopTheme = onTheme(repaint);
  const resize = new ResizeObserver(() => map.invalidateSize({pan: false}));
  resize.observe(element);

  return {
    leaflet: map,
    incidents,
    /** Colour the duty grids; null leaves their edges. @param {typeof figures} next */
    setFigures(next) {
      figures = next;
      paintTheme();
    },
    /** @param {boolean} visible */
    showGrid(visible) {
      if (isGridShown === visible) return;
      isGridShown = visible;
      paintTheme();
      names.restyle({labelRules: labelRules()});
    },
    /** @param {import('./thematic.js').LayerInfo} info */
    show(info) {
      if (shown.has(info.id)) return;
      const views = new Map([[info.id, source(info.id, info.tiles)]]);
      const layer = createVectorLayer({views, paintRules: thematicRules(info), pane: 'layers'});
      shown.set(info.id, {info, layer});
      layer.addTo(map);
      if (info.style?.label) {
        views.forEach((view, id) => names.views.set(id, view));
        names.restyle({labelRules: labelRules()});
      }
    },
    /** @param {string} id */
    hide(id) {
      shown.get(id)?.layer.remove();
      if (shown.delete(id) && names.views.delete(id)) names.restyle({labelRules: labelRules()});
    },
    /** @param {string | null} code */
    selectGrid: code => mark({selected: code}),
    /** @param {number} lon @param {number} lat @param {number} [zoom] */
    flyTo(lon, lat, zoom = Math.max(map.getZoom(), 16)) {
      const pad = options.padding?.() ?? {left: 0, top: 0, right: 0, bottom: 0};
      const shift = map.project([lat, lon], zoom).subtract([(pad.left - pad.right) / 2, (pad.top - pad.bottom) / 2]);
      map.setView(map.unproject(shift, zoom), zoom, {animate: true});
    },
    /** Whether a place lies in the part of the map that no panel covers. @param {number} lon @param {number} lat */
    isVisible(lon, lat) {
      const pad = options.padding?.() ?? {left: 0, top: 0, right: 0, bottom: 0};
      const {x, y} = map.latLngToContainerPoint([lat, lon]);
      const size = map.getSize();
      return x > pad.left && y > pad.top && x < size.x - pad.right && y < size.y - pad.bottom;
    },
    fitBox,
    /** Move so that a point of the screen is no longer below a panel. @param {number} x @param {number} y @param {{left: number, top: number, right: number, bottom: number}} cover */
    uncover(x, y, cover) {
      if (x < cover.left || x > cover.right || y < cover.top || y > cover.bottom) return;
      map.panBy([x - cover.left + 90, 0], {animate: true});
    },
    destroy() {
      stopTheme();
      resize.disconnect();
      map.remove();
    },
  };
}

/** @param {Box} box @param {number} share */
function roomyBox([west, south, east, north], share) {
  const [dx, dy] = [(east - west) * share, (north - south) * share];
  return [west - dx, south - dy, east + dx, north + dy];
}

/** Where one may move to: the city and as much again around it. @param {Box} box */
function roomy(box) {
  const [west, south, east, north] = roomyBox(box, 1);
  return latLngBounds([south, west], [north, east]);
}

/** Leaflet writes an attribution as markup, and ours came with a file that was imported. @param {string} text */
function asText(text) {
  return text.replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`);
}
