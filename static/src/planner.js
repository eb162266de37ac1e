// What planners take away: choices on the left, what they come to on the right. The
// address holds every choice, so that a selection can be sent to somebody.

import {getJson, urlOf} from './lib/api.js';
import {el, fill, find, pageData} from './lib/dom.js';
import {number, setZone, t, useMessages} from './lib/i18n.js';
import {createStore} from './lib/store.js';
import {isDark, onTheme} from './lib/theme.js';
import {createMap} from './map/create.js';
import {errorText} from './ui/errors.js';
import {icon} from './ui/icon.js';
import {bindThemeSwitch} from './ui/theme-switch.js';
import {createToasts} from './ui/toast.js';
import {createAreaChoice} from './planner/area.js';
import {createBoxTool} from './planner/box.js';
import {createClasses, createColumns} from './planner/columns.js';
import {createOutline} from './planner/outline.js';
import {createRows} from './planner/rows.js';
import {queryOf, readChoice, writeChoice} from './planner/choice.js';
import commonZh from './messages/common.zh.js';
import commonEn from './messages/common.en.js';
import zh from './messages/planner.zh.js';
import en from './messages/planner.en.js';

/** @typedef {import('./planner/choice.js').Choice} Choice */
/** @typedef {import('./planner/choice.js').Offered} Offered */
/** @typedef {import('./planner/rows.js').Preview} Preview */

const WAIT_MS = 250;

/** @type {{lang: 'zh' | 'en', layers: Offered[], areas: import('./planner/area.js').Area[], systems: {id: string, title: string}[], formats: {id: string, title: string}[], may_export: boolean,
 *   tiles: Record<string, string>, city: {name: string, bounds: [number, number, number, number], zone: string, metric_srid: number, attribution?: string}}} */
const page = pageData();
useMessages({zh: {...commonZh, ...zh}, en: {...commonEn, ...en}});
setZone(page.city.zone);
bindThemeSwitch();
document.documentElement.dataset.script = 'on';

const store = createStore(readChoice(location.search, page.layers, page.areas[0]?.code ?? ''));
const toasts = createToasts(document.body);
const form = /** @type {HTMLFormElement} */ (find('#choose'));
const figures = find('#figures');
const button = /** @type {HTMLButtonElement | null} */ (document.querySelector('#download'));
const crs = /** @type {HTMLSelectElement} */ (find('#crs'));

const layerOf = () => /** @type {Offered} */ (page.layers.find(layer => layer.id === store.get().layer));

const map = createMap(find('#map'), {
  tiles: page.tiles.base, lang: page.lang, bounds: page.areas[0]?.bounds ?? page.city.bounds, attribution: page.city.attribution,
});
const outline = createOutline(map.leaflet);
const box = createBoxTool(find('#box-tools'), map.leaflet, {onBox: bbox => store.set({bbox})});
const area = createAreaChoice(find('#area-path'), {roots: page.areas, onChoose: chosen => {
  store.set({area: chosen.code});
  map.fitBox(chosen.bounds);
}});
const columns = createColumns(find('#columns'), {onChange: names => store.set({columns: names})});
const classes = createClasses(find('#class-tools'), {onChange: values => store.set({classes: values})});
const rows = createRows(find('#rows'), {onRetry: () => preview()});

// ---- choices that the server wrote as plain inputs

form.addEventListener('change', event => {
  const input = /** @type {HTMLInputElement} */ (event.target);
  if (input.name === 'layer') store.set({layer: input.value, columns: null, classes: []});
  if (input.name === 'format') store.set({format: input.value});
  if (input.name === 'crs') store.set({crs: input.value});
});

form.addEventListener('submit', event => {
  event.preventDefault();
  if (!button || button.disabled) return;
  const choice = store.get();
  if (level !== 'L1') {
    location.assign(urlOf('/planner/exports/new', {layer: choice.layer, format: choice.format, ...queryOf(choice)}));
    return;
  }
  // A link to a file leaves the page where it is; the browser shows how far the file is.
  el('a', {href: urlOf(`/api/export/${choice.layer}.${choice.format}`, queryOf(choice)), download: ''}).click();
  toasts.show(t('planner.started'), {tone: 'ok'});
});

// ---- what follows from a choice

let asked = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {string | null} */
let shownLayer = null;

async function preview() {
  const mine = (asked += 1);
  const choice = store.get();
  figures.classList.add('is-old');
  rows.wait();
  if (button) button.disabled = true;
  try {
    /** @type {Preview} */
    const found = await getJson(urlOf(`/api/export/${choice.layer}/preview`, {...queryOf(choice), format: choice.format}));
    if (mine === asked) show(found);
  } catch (error) {
    if (mine !== asked) return;
    fill(figures, el('p', {class: 'field-error'}, errorText(error)));
    rows.fail(error);
  } finally {
    if (mine === asked) figures.classList.remove('is-old');
  }
}

/** What the chosen columns ask for: nothing, a reason, or a second person. */
let level = 'L1';

/** @param {Preview} found */
function show(found) {
  level = found.level;
  const choice = store.get();
  const isTooMany = choice.format === 'html' && found.rows > found.most_on_a_map;
  const figure = (/** @type {string} */ name, /** @type {string} */ value) => el('div', null, el('dt', null, t(`planner.${name}`)), el('dd', null, value));
  fill(figures,
    figure('rows', number(found.rows)), figure('size', sizeText(found.size_bytes)), figure('time', timeText(found.duration_s)),
    level !== 'L1' && el('p', {class: level === 'L3' ? 'level-note is-sensitive' : 'level-note'}, icon(level === 'L3' ? 'lock' : 'info-circle'), t(`planner.need${level}`)),
    isTooMany && el('p', {class: 'field-error'}, t('planner.tooMany', {n: number(found.most_on_a_map)})));
  if (button) {
    button.disabled = isTooMany;
    fill(button, icon(level === 'L3' ? 'send' : 'download'), el('span', null, t(`planner.take${level}`)));
  }
  rows.show(found, choice, {title: layerOf().title, metric: page.city.metric_srid});
}

/** @param {number} bytes */
function sizeText(bytes) {
  if (bytes < 1e6) return t('planner.kb', {n: number(Math.max(1, bytes / 1e3), 0)});
  return t('planner.mb', {n: number(bytes / 1e6, bytes < 1e7 ? 1 : 0)});
}

/** @param {number} seconds */
const timeText = seconds => t('planner.seconds', {n: seconds < 1 ? '< 1' : number(Math.ceil(seconds))});

function drawChoice() {
  const {layer, area: code, crs: system, format, classes: wanted} = store.get();
  for (const [name, value] of Object.entries({layer, format})) {
    const input = form.querySelector(`input[name="${name}"][value="${CSS.escape(value)}"]`);
    if (input instanceof HTMLInputElement) input.checked = true;
  }
  const isFixed = format === 'geojson' || format === 'html';
  crs.disabled = isFixed;
  crs.value = isFixed ? 'CRS84' : system;
  find('#crs-note').textContent = isFixed ? t('planner.onlyCrs84') : '';
  columns.show(layerOf().columns, store.get().columns);
  classes.show(layerOf().classes, layerOf().legend, wanted);
  area.show(code);
  box.show(store.get().bbox);
}

function drawMap() {
  const choice = store.get();
  const layer = layerOf();
  if (shownLayer) map.hide(shownLayer);
  shownLayer = layer.locked ? null : layer.id;
  outline.show(choice.area);
  drawLegend(layer);
  if (layer.locked) return;
  map.show({...layer, tiles: urlOf(layer.tiles.split('?')[0], {area: choice.area, class: choice.classes.join(',')}).replaceAll('%7B', '{').replaceAll('%7D', '}')});
}

/** @param {Offered} layer */
function drawLegend(layer) {
  const host = find('#legend');
  host.hidden = layer.locked || !layer.legend.length;
  fill(host, el('b', null, layer.title), el('ul', null, ...layer.legend.map(swatch => el('li', null,
    el('i', {style: {background: isDark() ? swatch.colour_dark ?? swatch.colour : swatch.colour}}), swatch.label))),
    layer.style.counts && el('p', {class: 'muted small'}, t('planner.bubbles', {zoom: layer.style.counts.below + 1})));
}

store.on(null, (state, changed) => {
  history.replaceState(null, '', location.pathname + writeChoice(state));
  drawChoice();
  if (changed.has('layer') || changed.has('area') || changed.has('classes')) drawMap();
  clearTimeout(timer);
  timer = setTimeout(preview, WAIT_MS);
});
onTheme(() => drawLegend(layerOf()));

find('#area-plain').remove();
drawChoice();
drawMap();
preview();
lookAtChoice();

/** An address that names an area or a box opens there. */
async function lookAtChoice() {
  const {area: code, bbox} = store.get();
  if (bbox) map.fitBox(bbox, false);
  else if (code && !page.areas.some(one => one.code === code)) {
    const found = await getJson(`/api/areas/${code}`).catch(() => null);
    if (found) map.fitBox(found.bounds, false);
  }
}
