// The command center: one state, one map, one queue; whoever changes the state changes
// everything that shows it.

import {ApiError, getJson, urlOf} from './lib/api.js';
import {find, pageData} from './lib/dom.js';
import {cityDay, dateText, number, setZone, t, useMessages} from './lib/i18n.js';
import {bindKeys} from './lib/keys.js';
import {createLinkState, createLive, throttled} from './lib/live.js';
import {createResource} from './lib/resource.js';
import {createStore} from './lib/store.js';
import {setTheme} from './lib/theme.js';
import {SUPPRESSED, spreadBreaks} from './map/choropleth.js';
import {createMap} from './map/create.js';
import {createSearch} from './ui/search.js';
import {createToasts} from './ui/toast.js';
import {watchErrors} from './ui/errors.js';
import {createCaseList} from './command/case-list.js';
import {createCasePanel} from './command/case-panel.js';
import {createCrumbs} from './ui/crumbs.js';
import {createFeatureCard} from './command/feature-card.js';
import {filterWords} from './command/filter-words.js';
import {createGridCard} from './command/grid-card.js';
import {createHits} from './command/hits.js';
import {openHelp} from './command/keys.js';
import {createLayersPanel} from './command/layers-panel.js';
import {layOut} from './command/layout.js';
import {createLegend} from './command/legend.js';
import {openLog} from './ui/log.js';
import {createQueue} from './command/queue.js';
import {createRail} from './command/rail.js';
import {BLANK, NO_FILTER, THEMES, filterOf, isAboutAll, isFiltered, listOf, readState, writeState} from './command/state.js';
import {createTimeBar} from './command/time-bar.js';
import {createTip} from './ui/tip.js';
import {createFigures} from './command/top-bar.js';
import {messages} from './command/messages.js';

/** @typedef {import('./command/case-list.js').Case} Case */

/** @type {{live: string, lang: 'zh' | 'en', tiles?: Record<string, string>, places?: import('./ui/places.js').Group[], area: {code: string, name: string, bounds?: [number, number, number, number]}, me: {name: string, roles: string[], permissions: string[]}, city: {name: string, center: [number, number], bounds: [number, number, number, number], zone: string, attribution?: string | null}}} */
const page = pageData();
useMessages(messages);
setZone(page.city.zone);

const isWall = new URLSearchParams(location.search).get('wall') === '1';
if (isWall) {
  document.documentElement.dataset.wall = 'on';
  setTheme('dark', {isKept: false});
}

const root = {code: page.area?.code || '', name: page.area?.name || page.city.name};
/** What the caller sees first: the own area, or the whole city. */
const home = page.area?.bounds ?? page.city.bounds;
const store = createStore(readState(location.search));
const toasts = createToasts(document.body, {onLog: log => { if (log.length) rail.ring(); }});
const linkState = createLinkState((shown, at) => queue.setLink(shown, t(`live.${shown}.detail`, {at: dateText(at, 'seconds')})));
const places = layOut({left: find('#left'), right: find('#right'), side: find('#side')});

// ---- what is read from the server

const period = () => (store.get().from ? {from: store.get().from, to: store.get().to} : {});
const area = () => store.get().area || root.code;

const list = createCaseList({
  filter: () => ({...filterOf(store.get()), area: area()}),
  hear(cases, news) {
    queue.show(cases, news);
    map.incidents.show(cases.rows);
    legend.setCases(cases.rows, cases.total);
    for (const id of news) map.incidents.flash(id);
  },
});
const summary = createResource(signal => getJson(urlOf('/api/summary', {area: area()}), {signal}), state => {
  figures.show(state.value, Boolean(state.error));
  if (!state.isLoading) linkState.answered(!(state.error instanceof ApiError && state.error.status === 0));
});
const daily = createResource(signal => getJson(urlOf('/api/incidents/daily', {area: area(), days: 60}), {signal}), state => timeBar.show(state, store.get()));
const layers = createResource(async signal => {
  const answer = await getJson('/api/layers', {signal});
  return /** @type {import('./map/thematic.js').LayerInfo[]} */ (Array.isArray(answer) ? answer : answer.items);
}, state => {
  layersPanel.show(state);
  if (state.value) applyLayers();
});
const choropleth = createResource(async signal => {
  const figures = await getJson(urlOf('/api/grids/choropleth', {theme: store.get().theme, area: area(), days: 30, ...period()}), {signal});
  const {breaks, isSpread} = spreadBreaks(figures);
  return {...figures, breaks, method: isSpread ? 'spread' : figures.method};
}, state => {
  const {theme} = store.get();
  legend.show(theme, state);
  map.setFigures(theme === 'none' ? null : state.value);
});
const profile = createResource(signal => getJson(`/api/grids/${store.get().grid || shownGrid}`, {signal}), state => { if (shownGrid) gridCard.show(state); });

// ---- the parts of the page

const linkOf = (/** @type {Case} */ row) => location.pathname + writeState({...store.get(), opened: row.id}, location.search);

const queue = createQueue(places.queue, {
  rowHeight: isWall ? 118 : 84,
  linkOf,
  onFilter: patch => store.set(patch),
  onClear: clearFilter,
  onOpen: openCase,
  onHover: id => map.incidents.hover(id),
  onRetry: () => list.load({isFresh: true}),
});
const figures = createFigures(find('#figures'), {onOpen: openFigure});
const crumbs = createCrumbs(find('#crumbs'), {root, onChoose: chosen => {
  store.set({area: chosen.code === root.code ? '' : chosen.code, grid: ''});
  if (chosen.code === root.code) map.fitBox(home);
  else if (chosen.bounds) map.fitBox(chosen.bounds);
}});
const hits = createHits({set: store.set, showGrid, map: () => map});
const search = createSearch(find('#search'), {
  bounds: page.city.bounds,
  onText: q => store.set({q}),
  onHit: hits.open,
  onPlace: (lon, lat) => { hits.showPlace(lon, lat); showGridAt(lon, lat); },
});
const legend = createLegend(places.legend, {onRetry: () => choropleth.load()});
const layersPanel = createLayersPanel(places.layers, {onToggle: toggleLayer, onClose: () => togglePanel('layers'), onRetry: () => layers.load(), zoom: () => map.leaflet.getZoom()});
const gridCard = createGridCard(places.card, {
  onClose: closeGrid,
  onOpenCase: openCase,
  onRetry: () => profile.load(),
  onFilter: grid => store.set({grid}),
});
const featureCard = createFeatureCard(places.feature, {onClose: () => featureCard.hide()});
const casePanel = createCasePanel(places.file, {
  onClose: closeCase,
  onChanged: () => refresh(),
  onLocate: row => map.flyTo(row.lon, row.lat, 17),
  onGrid: showGrid,
  toast: (text, options) => toasts.show(text, options),
});
const timeBar = createTimeBar(find('#time'), {onPeriod: (from, to) => store.set({from, to}), onRetry: () => daily.load()});
const tip = createTip(find('#tip'));
const rail = createRail(find('#rail'), {
  me: page.me,
  csrf: document.querySelector('meta[name="csrf-token"]')?.getAttribute('content') ?? '',
  places: page.places ?? [],
  // Nobody presses anything on the wall.
  toast: (text, options) => { if (!isWall) toasts.show(text, options); },
  onTheme: theme => store.set({theme}),
  onPanel: togglePanel,
  onHelp: openHelp,
  onLog: () => openLog(toasts.log()),
});

const {at} = store.get();
const map = createMap(find('#map'), {
  lang: page.lang, bounds: home, room: page.city.bounds, center: at ? [at.lon, at.lat] : null, zoom: at?.zoom ?? null,
  attribution: page.city.attribution, tiles: page.tiles?.base, grid: page.tiles?.grid ?? '/tiles/grid/{z}/{x}/{y}.mvt', controls: !isWall, markScale: isWall ? 1.6 : 1, zoomTitles: [t('map.in'), t('map.out')],
  padding: places.padding,
  onMove: place => {
    store.set({at: place});
    layersPanel.refresh();
  },
  onClick: clicked,
  onHover: hit => {
    tip.show(hit, {figure: figureText, layerTitle});
    legend.point(hit?.grid && !hit.incidents.length ? hit.grid.code : null);
    queue.highlight(hit?.incidents[0]?.id ?? null);
  },
  onLayerState: (id, state) => layersPanel.setState(id, state),
});

// ---- grids

let shownGrid = '';

/** @param {string} code */
function showGrid(code) {
  shownGrid = code;
  featureCard.hide();
  map.selectGrid(code);
  profile.load({isFresh: true});
  gridCard.setFiltered(store.get().grid === code);
}

function closeGrid() {
  shownGrid = '';
  gridCard.hide();
  map.selectGrid(null);
  if (store.get().grid) store.set({grid: ''});
}

/** @param {number} lon @param {number} lat */
async function showGridAt(lon, lat) {
  try {
    const grid = await getJson(urlOf('/api/grids/at', {lon: lon.toFixed(6), lat: lat.toFixed(6)}));
    if (grid?.code) showGrid(grid.code);
  } catch {
    toasts.show(t('grid.none'));
  }
}

/** @param {string} code */
function figureText(code) {
  const state = choropleth.get().value;
  const value = state?.values[code];
  if (!state || store.get().theme === 'none' || value === undefined) return null;
  return `${t(`legend.${state.theme}`)} ${value === SUPPRESSED ? t('grid.withheld') : number(Number(value))} ${state.unit}`;
}

const layerTitle = (/** @type {string} */ id) => layers.get().value?.find(layer => layer.id === id)?.title ?? id;

/** @param {{x: number, y: number, lon: number, lat: number, incidents: any[], features: import('./map/create.js').FeatureHit[], grid: import('./map/create.js').GridHit | null}} hit */
function clicked({x, y, incidents, features, grid}) {
  if (incidents.length) openCase(incidents[0]);
  else if (features.length) {
    closeGrid();
    featureCard.show(layerTitle(features[0].layer), features[0].props);
  } else if (grid) {
    showGrid(grid.code);
    places.whenLaidOut(() => map.uncover(x, y, places.coverOf()));
  } else {
    closeGrid();
    featureCard.hide();
  }
}

// ---- cases

/** @param {Case} row */
function openCase(row) {
  store.set({opened: row.id});
  if (!map.isVisible(row.lon, row.lat)) map.flyTo(row.lon, row.lat, Math.max(15, map.leaflet.getZoom()));
}

function closeCase() {
  store.set({opened: ''});
  queue.focus();
}

function clearFilter() {
  store.set(NO_FILTER);
}

/** @param {'open' | 'late' | 'reported_today' | 'on_time_month'} figure */
function openFigure(figure) {
  places.show('queue', true);
  rail.setPanel('queue', true);
  store.set(listOf(figure, cityDay()));
}

// ---- layers and panels

function layersOn() {
  const known = layers.get().value ?? [];
  const chosen = store.get().layers;
  return new Set(chosen ? chosen.filter(id => known.some(layer => layer.id === id)) : known.filter(layer => layer.default_on).map(layer => layer.id));
}

function applyLayers() {
  const on = layersOn();
  layersPanel.setOn(on);
  for (const layer of layers.get().value ?? []) {
    if (layer.id === 'grid') map.showGrid(on.has('grid'));
    else if (layer.id === 'incident') places.toggleMarks(map.incidents, on.has('incident'));
    else if (on.has(layer.id)) map.show(layer);
    else map.hide(layer.id);
  }
}

/** @param {string} id @param {boolean} isOn */
function toggleLayer(id, isOn) {
  const on = layersOn();
  if (isOn) on.add(id);
  else on.delete(id);
  store.set({layers: [...on]});
}

/** @param {'layers' | 'queue'} panel */
function togglePanel(panel) {
  rail.setPanel(panel, places.show(panel));
}

// ---- the state decides

store.on(null, state => history.replaceState(null, '', location.pathname + writeState(state, location.search) + location.hash));
store.on(['opened'], showOpened);
store.on(['layers'], applyLayers);
store.on(['theme'], ({theme}) => {
  rail.setTheme(theme);
  legend.show(theme, null);
  if (theme === 'none') map.setFigures(null);
  else choropleth.load({isFresh: true});
});
store.on(['area', 'from', 'to'], () => { if (store.get().theme !== 'none') choropleth.load(); });
store.on(['area'], () => { summary.load(); daily.load(); });
store.on(['grid'], ({grid}) => { if (grid && grid !== shownGrid) showGrid(grid); gridCard.setFiltered(Boolean(grid)); });
store.on(['area', 'status', 'risk', 'q', 'category', 'grid', 'from', 'to'], state => {
  showFilter(state);
  list.load({isFresh: true});
});

/** @param {import('./command/state.js').State} state */
function showOpened({opened}) {
  if (opened) casePanel.open(opened);
  else casePanel.close();
  // What the case covers is out of reach for the keyboard too.
  places.queue.inert = Boolean(opened);
  queue.setOpened(opened);
  map.incidents.select(opened || null);
}

/** @param {import('./command/state.js').State} state */
function showFilter(state) {
  const names = {
    category: hits.categoryName,
    grid: (/** @type {string} */ code) => (profile.get().value?.code === code ? profile.get().value?.name : undefined),
  };
  const words = filterWords(state, names, store.set);
  queue.setFilter({status: state.status, risk: state.risk, isAboutAll: isAboutAll(state)}, words);
  search.show(state.q);
  timeBar.setPeriod(state);
  if (state.area) crumbs.show(state.area);
  else crumbs.show(root.code);
}

// ---- news

const refresh = throttled(() => {
  void rail.count();
  list.load();
  summary.load();
});
const refreshTheme = throttled(() => { if (store.get().theme === 'incidents') choropleth.load(); }, {soonMs: 2000, spanMs: 20_000});

async function pollAll() {
  await Promise.all([list.load(), summary.load()]);
  return !list.get().error;
}

addEventListener('offline', () => linkState.answered(false));
addEventListener('online', refresh);

createLive({
  url: urlOf(`${page.live}/live`, {area: root.code}),
  poll: pollAll,
  onReload: () => { refresh(); refreshTheme(); },
  onLink: linkState.become,
  onNews(news) {
    refresh();
    refreshTheme();
    casePanel.refresh(news.incident);
    if (news.action !== 'submit') return;
    timeBar.count(cityDay(new Date(news.at)));
    toasts.show(t('news.submit', {what: news.category?.name ?? news.number}), {tone: 'info', act: () => store.set({opened: news.incident})});
  },
});
setInterval(() => summary.load(), 30_000);

// ---- keys

/** Move the mark in the queue; the map shows where it is, and an open case makes room for it. @param {number} by */
function step(by) {
  const row = queue.step(by);
  map.incidents.hover(row?.id ?? null);
  if (row && store.get().opened) openCase(row);
  return row;
}

/** One step back: the case, the grid, the filter. */
function stepBack() {
  map.incidents.pin(null);
  if (store.get().opened) closeCase();
  else if (shownGrid) closeGrid();
  else if (isFiltered(store.get())) clearFilter();
}

bindKeys({
  '/': () => search.focus(),
  '?': openHelp,
  j: () => step(1),
  k: () => step(-1),
  Enter: () => { const row = step(0); if (row) openCase(row); },
  a: () => casePanel.actFirst(),
  l: () => togglePanel('layers'),
  q: () => togglePanel('queue'),
  ' ': () => timeBar.togglePlay(),
  Escape: stepBack,
  ...Object.fromEntries([/** @type {const} */ ('none'), ...THEMES].map((theme, place) => [String(place), () => store.set({theme})])),
});

addEventListener('popstate', () => store.set({...BLANK, ...readState(location.search)}));

// ---- first picture

const first = store.get();
rail.setTheme(first.theme);
legend.show(first.theme, null);
showFilter(first);
list.load({isFresh: true});
summary.load();
daily.load();
layers.load();
if (first.theme !== 'none') choropleth.load({isFresh: true});
if (first.opened) showOpened(first);
if (first.grid) showGrid(first.grid);

watchErrors(text => toasts.show(text, {tone: 'late'}));
