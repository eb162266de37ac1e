// The dispatcher's desk: one state, one selection; queue, map and case follow it, and the
// address is the state. Nothing here says "done" before the server does.

import {ApiError, getJson, urlOf} from './lib/api.js';
import {find, pageData} from './lib/dom.js';
import {dateText, setZone, t, useMessages} from './lib/i18n.js';
import {createLinkState, throttled} from './lib/live.js';
import {createResource} from './lib/resource.js';
import {createStore} from './lib/store.js';
import {onTheme} from './lib/theme.js';
import {createMap} from './map/create.js';
import {createRing} from './map/ring.js';
import {createCrumbs} from './ui/crumbs.js';
import {errorText, watchErrors} from './ui/errors.js';
import {openLog} from './ui/log.js';
import {createSearch} from './ui/search.js';
import {createTip} from './ui/tip.js';
import {createToasts} from './ui/toast.js';
import {createBulk} from './dispatch/bulk.js';
import {createCase} from './dispatch/case.js';
import {createClaims} from './dispatch/claims.js';
import {createClock} from './dispatch/clock.js';
import {bindCommands} from './dispatch/commands.js';
import {openDone} from './dispatch/done.js';
import {createDrafts} from './dispatch/drafts.js';
import {createFacets, parameterOf} from './dispatch/facets.js';
import {findTyped, numbered} from './dispatch/find.js';
import {frame} from './dispatch/frame.js';
import {createHead} from './dispatch/head.js';
import {FINAL, openHelp} from './dispatch/keys.js';
import {messages} from './dispatch/messages.js';
import {createNews} from './dispatch/news.js';
import {createPanes} from './dispatch/panes.js';
import {createPlaces} from './dispatch/places.js';
import {createQueue} from './dispatch/queue.js';
import {createRows, wordsOf} from './dispatch/rows.js';
import {createSaved} from './dispatch/saved.js';
import {createShift} from './dispatch/shift.js';
import {FILTERS, NO_FILTER, belongs, filterOf, isFiltered, readState, writeState} from './dispatch/state.js';
import {createStrip} from './dispatch/strip.js';
import {createTools} from './dispatch/tools.js';
import {createUndo} from './dispatch/undo.js';

/** @typedef {import('./dispatch/rows.js').Row} Row */

/** @type {{live: string, lang: 'zh' | 'en', csrf: string, now: string, turn: string[], tiles?: Record<string, string>, places?: import('./ui/places.js').Group[], area: {code: string, name: string, bounds?: [number, number, number, number]}, me: {id: number, name: string, roles: string[], permissions: string[]}, city: {name: string, bounds: [number, number, number, number], zone: string, attribution?: string | null}}} */
const page = pageData();
useMessages(messages);
setZone(page.city.zone);

const clock = createClock(page.now);
const {now} = clock;
const root = {code: page.area?.code || '', name: page.area?.name || page.city.name};
const home = page.area?.bounds ?? page.city.bounds;
const store = createStore(readState(location.search));
const toasts = createToasts(document.body, {onLog: log => { if (log.length) tools.ring(); }});
const toast = toasts.show;
const hosts = frame(find('#queue'));
const panes = createPanes({root: find('#main'), queue: find('#queue'), map: find('#stage'), file: find('#case'), first: find('#split-queue'), second: find('#split-case'), tabs: find('#tabs')});
const strip = createStrip(find('#strip'));
const linkState = createLinkState((shown, at) => {
  head.setLink(shown, t(`live.${shown}.detail`, {at: dateText(at, 'seconds')}));
  strip.setOffline(shown === 'offline');
});

// ---- what is read from the server

const filter = () => filterOf(store.get());
const rows = createRows({
  filter, sort: () => store.get().sort, now, heardAt: clock.correct,
  hear(state) {
    queue.show(state);
    map.incidents.show(state.rows);
    places.setShown(state.rows.length, state.total);
    places.redraw();
    drawHead();
    if (state.error instanceof ApiError && state.error.status === 401) strip.expired();
    if (!state.isLoading) linkState.answered(!(state.error instanceof ApiError && state.error.status === 0));
  },
});
const facetCounts = createResource(signal => getJson(urlOf('/api/desk/facets', filter()), {signal}), state => {
  facets.show(state);
  if (state.value && !state.isLoading) rows.setTotal(state.value.total, state.value.is_exact);
  drawHead();
});
const shiftFigures = createResource(async signal => {
  const askedAt = clock.ticks();
  const answer = await getJson('/command/desk/shift', {signal});
  clock.correct(answer.as_of, askedAt);
  return answer;
}, state => shift.show(state.value ?? {}, Boolean(state.error)));

// ---- the parts of the page

const linkOf = (/** @type {Row} */ row) => location.pathname + writeState({...store.get(), opened: row.id});
const turn = page.turn.join(',');
/** Names of values that were seen, so that a chip need not show a code. @type {Map<string, string>} */
const seenNames = new Map();

const bulk = createBulk(hosts.bulk, {
  rowOf: id => rows.find(id), toast,
  onChange: () => queue.redraw(),
  onDone(answer, action, ids) {
    const done = answer.done?.length ?? 0;
    const text = t('dispatch.bulk.done', {action: action.name, n: done, refused: answer.refused?.length ?? 0});
    if (answer.undo && done) undo.offer(text, {token: answer.undo}, ids);
    else toast(text, {tone: done ? 'ok' : 'late'});
    news.afterSteps(ids);
  },
});
const queue = createQueue(hosts.rows, {
  linkOf, now, isMarked: id => bulk.has(id), hasFilter: () => isFiltered(store.get()),
  onOpen: row => { select(row); panes.show('case'); },
  onHover: id => map.incidents.hover(id),
  onMark: mark,
  onRetry: () => rows.load(),
  onMore: () => rows.more(),
  onNew: takeNew,
  onClear: clearFilter,
});
const head = createHead(hosts.head, {
  turn, set: patch => store.set(patch), onClear: clearFilter,
  onFacets: toggleFacets,
  onSaved: anchor => saved.toggle(anchor),
  names: (kind, value) => seenNames.get(`${kind}:${value}`) ?? '',
});
const facets = createFacets(hosts.facets, {
  set: patch => store.set(patch), state: store.get, onClose: toggleFacets, onClear: clearFilter, onRetry: () => facetCounts.load(),
});
const saved = createSaved(hosts.saved, {state: store.get, roles: page.me.roles, onChoose: patch => store.set(patch), onToggle: isOpen => head.setSaved(isOpen)});
const shift = createShift(find('#shift'), {onOpen: openFigure});
const tools = createTools(find('#tools'), {me: page.me, csrf: page.csrf, places: page.places ?? [], toast, onHelp: openHelp, onLog: () => openLog(toasts.log()), onLeave: () => drafts.leave()});
const drafts = createDrafts({account: page.me.id, now});
const claims = createClaims({
  onChange(id, isHeld) {
    rows.update({id, claim: isHeld ? {name: page.me.name, mine: true, since: clock.iso()} : null});
    casePane.claimChanged(id);
  },
  onRefused: (_id, error) => {
    if (error instanceof ApiError && error.status === 401) strip.expired();
    else toast(errorText(error), {tone: 'soon'});
  },
});
const casePane = createCase(find('#case'), {
  now, iso: clock.iso, drafts, claims,
  claimOf: id => news.claimOf(id),
  onLoaded(file) {
    rows.update(wordsOf(file), !belongs(store.get(), file));
    if (file.id === store.get().opened) ring.show(file);
    if (pending.has(file.id)) locate(file);
    pending.delete(file.id);
  },
  onDone({file, id, action, answer}) {
    const text = t('case.done', {number: file.number, action: action.name});
    const seq = answer?.seq ?? answer?.event?.seq;
    if (action.action === 'merge') undo.offer(text, {merged: id}, [file.id, id]);
    else if (seq && !FINAL.has(action.action)) undo.offer(text, {incident: id, seq}, [file.id, id]);
    else toast(text, {tone: 'ok'});
    news.afterSteps([file.id, id]);
    return Promise.resolve();
  },
  onLocate: locate,
  onOpen: id => openById(id),
  onGrid: grid => store.set({grid}),
  onLeave: () => leaveCase(),
  onExpired: () => strip.expired({isAsked: true}),
  onCopy: copy,
  toast,
});
const undo = createUndo({toast, ticks: clock.ticks, onUndone: ids => news.afterSteps(ids), onExpired: () => strip.expired()});
const crumbs = createCrumbs(find('#crumbs'), {root, onChoose: chosen => {
  store.set({area: chosen.code === root.code ? '' : chosen.code, grid: ''});
  map.fitBox(chosen.code === root.code ? home : chosen.bounds ?? home);
}});
const search = createSearch(find('#search'), {
  bounds: page.city.bounds, find: findTyped, hint: t('dispatch.search.hint'),
  onText: look,
  onPlace: (lon, lat) => { pin(lon, lat); find('#map').focus(); },
  onHit({kind, id, name, lon, lat}) {
    if (kind === 'case' || kind === 'incident') openById(id);
    else if (kind === 'area') { seenNames.set(`area:${id}`, name); store.set({area: id, grid: ''}); }
    else if (kind === 'grid') { seenNames.set(`grid:${id}`, name); store.set({grid: id}); }
    else if (kind === 'category') { seenNames.set(`category:${id}`, name); store.set({category: id}); }
    if (lon !== null && lat !== null && kind !== 'category') pin(lon, lat);
  },
});
const tip = createTip(find('#tip'));
const {at} = store.get();
const map = createMap(find('#map'), {
  lang: page.lang, bounds: home, room: page.city.bounds, center: at ? [at.lon, at.lat] : null, zoom: at?.zoom ?? null,
  attribution: page.city.attribution, tiles: page.tiles?.base, grid: page.tiles?.grid ?? '/tiles/grid/{z}/{x}/{y}.mvt', zoomTitles: [t('map.in'), t('map.out')],
  onMove(place) {
    store.set({at: place, ...(store.get().bbox ? {bbox: boxOf()} : {})});
    places.redraw();
  },
  onClick({incidents}) {
    const row = incidents.length ? rows.find(incidents[0].id) : null;
    if (row) { select(row); panes.show('case'); }
  },
  onHover(hit) {
    tip.show(hit && hit.incidents.length ? {...hit, features: [], grid: null} : null, {figure: () => null, layerTitle: id => id});
    queue.highlight(hit?.incidents[0]?.id ?? null);
  },
});
const ring = createRing(map.leaflet);
const places = createPlaces(find('#map-tools'), {
  now, onOpen: row => { select(row); panes.show('case'); casePane.focus(); },
  inView: () => rows.get().rows.filter(row => map.leaflet.getBounds().contains([row.lat, row.lon])),
  onFollow: () => store.set({bbox: store.get().bbox ? '' : boxOf()}),
  onHome: () => map.fitBox(home),
});
onTheme(() => places.recolour());

const news = createNews({
  live: page.live, area: root.code, me: page.me, iso: clock.iso, store, rows, casePane: () => casePane, map: () => map, linkState,
  recount: () => facetCounts.load(), refigure: () => shiftFigures.load(),
});

// ---- selecting

/** Cases that were asked for by name and are shown on the map once their place is known. @type {Set<string>} */
const pending = new Set(store.get().opened && !at ? [store.get().opened] : []);
let lastMarked = '';

/** @param {Row} row */
function select(row) {
  store.set({opened: row.id});
  if (!map.isVisible(row.lon, row.lat)) map.flyTo(row.lon, row.lat, Math.max(15, map.leaflet.getZoom()));
}

/** @param {string} id */
function openById(id) {
  pending.add(id);
  store.set({opened: id});
  panes.show('case');
}

/** Words go into the queue; a whole number is one case. @param {string} q */
async function look(q) {
  const id = await numbered(q);
  if (id) {
    openById(id);
    casePane.whenShown(id, () => casePane.focus());
    return;
  }
  store.set({q});
  panes.show('queue');
  queue.focus();
}

/** @param {{lon: number, lat: number}} row */
function locate(row) {
  map.flyTo(row.lon, row.lat, Math.max(16, map.leaflet.getZoom()));
}

/** @param {number} lon @param {number} lat */
function pin(lon, lat) {
  map.incidents.pin({lon, lat});
  map.flyTo(lon, lat, 17);
  panes.show('map');
}

function leaveCase() {
  store.set({opened: ''});
  panes.show('queue');
  queue.focus();
}

/** The next or previous row; the case opens with it and the focus is on the row. @param {number} by */
function step(by) {
  const row = queue.neighbour(by);
  if (!row) return;
  select(row);
  panes.show('queue');
  queue.focus();
}

/** @param {Row} row @param {boolean} [isRange] */
function mark(row, isRange = false) {
  if (isRange && lastMarked) for (const one of queue.between(lastMarked, row.id)) bulk.mark(one, true);
  else bulk.mark(row);
  lastMarked = row.id;
}

function takeNew() {
  rows.load().then(() => { queue.toTop(); queue.focus(); });
  facetCounts.load();
}

// ---- filters and figures

function clearFilter() {
  store.set({...NO_FILTER});
}

function toggleFacets() {
  if (facets.isOpen()) {
    facets.close();
    head.facetsButton.focus();
  } else facets.open();
  head.setFacets(facets.isOpen());
}

/** @param {'done' | 'waiting' | 'late'} figure */
function openFigure(figure) {
  if (figure === 'done') {
    openDone(openById);
    return;
  }
  store.set({...NO_FILTER, ...(figure === 'late' ? {risk: 'late'} : {status: turn})});
  panes.show('queue');
  queue.focus();
}

function drawHead() {
  const {facets: counts = {}} = facetCounts.get().value ?? {};
  for (const [facet, items] of Object.entries(counts)) for (const item of items) if (item.name) seenNames.set(`${parameterOf(facet)}:${item.value}`, item.name);
  const {total, isExact, at: knownAt} = rows.get();
  head.show(store.get(), counts, {total, isExact, isKnown: knownAt > 0});
}

function boxOf() {
  const box = map.leaflet.getBounds();
  return [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map(value => value.toFixed(5)).join(',');
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t('dispatch.copied', {text: text.length > 40 ? t('dispatch.link') : text}), {tone: 'ok'});
  } catch {
    toast(text, {tone: 'info'});
  }
}

// ---- the state decides

/** A browser takes only so many addresses in a while: holding a key down must not fail. */
const writeAddress = throttled(() => history.replaceState(null, '', location.pathname + writeState(store.get()) + location.hash), {soonMs: 60, spanMs: 250});
const openCase = throttled(() => casePane.open(store.get().opened), {soonMs: 10, spanMs: 180});
store.on(null, writeAddress);
store.on(['opened'], ({opened}) => {
  queue.setOpened(opened);
  map.incidents.select(opened || null);
  ring.show(null);
  openCase();
});
store.on([...FILTERS, 'sort'], state => {
  showFilter(state);
  rows.load({isFresh: true});
  facetCounts.load();
  queue.toTop();
});

/** @param {import('./dispatch/state.js').State} state */
function showFilter(state) {
  search.show(state.q);
  crumbs.show(state.area && !state.area.includes(',') ? state.area : root.code);
  places.setFollowing(Boolean(state.bbox));
  drawHead();
  facets.redraw();
}

// ---- keys

bindCommands({
  store, search, panes, queue, bulk, rows, facets, undo, casePane, map, toast, select, step, mark, takeNew, leaveCase, toggleFacets, clearFilter, locate, openSaved: () => saved.toggle(head.savedButton),
});
addEventListener('popstate', () => store.set(readState(location.search)));

// ---- first picture

const first = store.get();
showFilter(first);
rows.load({isFresh: true}).then(() => {
  if (first.opened) queue.setOpened(first.opened);
  if (document.activeElement === document.body) queue.focus();
});
facetCounts.load();
shiftFigures.load();
if (first.opened) {
  queue.setOpened(first.opened);
  map.incidents.select(first.opened);
  casePane.open(first.opened);
  panes.show('case');
}
news.follow();
watchErrors(text => toast(text, {tone: 'late'}));
