// The worker's map: the own grid, its components, the tasks, and where one stands.

import {Circle, CircleMarker} from 'leaflet';
import {getJson} from '../lib/api.js';
import {el, fill, find} from '../lib/dom.js';
import {timeLeft} from '../lib/dates.js';
import {lang, t} from '../lib/i18n.js';
import {token} from '../lib/theme.js';
import {createMap} from '../map/create.js';
import {errorText} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {here} from './here.js';

/** @param {HTMLElement} host @param {{city: any, areas: string[], bounds: [number, number, number, number] | null}} data */
export function startMap(host, data) {
  const card = el('div', {class: 'map-card', role: 'status'});
  const note = el('p', {class: 'map-note', hidden: true});
  const canvas = el('div', {class: 'big-map', tabindex: '0', role: 'application', 'aria-label': t('map.label')});
  host.append(canvas);
  /** @type {Map<string, any>} */
  const tasks = new Map();
  /** @type {Record<string, any>} */
  let layers = {};
  /** @type {Promise<void>} */
  const ready = start();
  /** @type {ReturnType<typeof createMap>} */
  let map;

  async function start() {
    const list = await getJson('/api/layers').catch(() => []);
    layers = Object.fromEntries(list.map((/** @type {any} */ layer) => [layer.id, layer]));
    map = createMap(canvas, {
      lang: lang(), bounds: data.city.bounds, grid: layers.grid?.tiles ?? null, attribution: data.city.attribution,
      onClick: hit => show(hit.incidents.map(row => tasks.get(row.id)).find(Boolean) ?? null, hit.features[0] ?? null),
    });
    map.showGrid(true);
    if (data.areas.length === 1 && data.areas[0].length === 15) map.selectGrid(data.areas[0]);
    if (data.bounds) map.fitBox(data.bounds, false);
    if (layers.component) map.show(layers.component);
    host.append(card, note, tools());
    await refresh();
  }

  async function refresh() {
    try {
      const found = await getJson('/worker/api/tasks');
      tasks.clear();
      for (const task of found.items) tasks.set(task.id, task);
      map.incidents.show([...tasks.values()]);
      note.hidden = true;
    } catch (error) {
      note.textContent = errorText(error);
      note.hidden = false;
    }
  }

  function tools() {
    const components = el('button', {type: 'button', class: 'btn', 'aria-pressed': String(Boolean(layers.component)), title: t('map.components'), 'aria-label': t('map.components'), onclick: () => {
      const isOn = components.getAttribute('aria-pressed') === 'true';
      if (isOn) map.hide('component');
      else map.show(layers.component);
      components.setAttribute('aria-pressed', String(!isOn));
    }}, icon('stack-2'));
    return el('div', {class: 'map-tools'},
      el('button', {type: 'button', class: 'btn', title: t('place.locate'), 'aria-label': t('place.locate'), onclick: locate}, icon('current-location')),
      layers.component && components,
      data.bounds && el('button', {type: 'button', class: 'btn', title: t('map.my_grid'), 'aria-label': t('map.my_grid'), onclick: () => map.fitBox(/** @type {any} */ (data.bounds))}, icon('focus-2')));
  }

  /** @type {(Circle | CircleMarker)[]} */
  let me = [];
  async function locate() {
    try {
      const at = await here({fresh: true});
      me.forEach(mark => mark.remove());
      me = [
        new Circle([at.lat, at.lon], {radius: at.accuracy, color: token('brand'), weight: 1, fillOpacity: 0.12, interactive: false}),
        new CircleMarker([at.lat, at.lon], {radius: 7, color: '#fff', weight: 2, fillColor: token('brand'), fillOpacity: 1, interactive: false}),
      ];
      me.forEach(mark => mark.addTo(map.leaflet));
      map.flyTo(at.lon, at.lat, 17);
      note.hidden = true;
    } catch (error) {
      note.textContent = t(`place.${error instanceof Error ? error.message : 'unavailable'}`);
      note.hidden = false;
    }
  }

  /** @param {any} task @param {import('../map/create.js').FeatureHit | null} feature */
  function show(task, feature) {
    map.incidents.select(task?.id ?? null);
    if (task) {
      const left = timeLeft(task, Date.now());
      fill(card, el('a', {class: `row tone-of-${task.risk}`, href: `/worker/tasks/${task.id}`}, el('span', {class: 'row-sign'}, icon('clipboard-check')),
        el('span', {class: 'row-what'}, el('strong', null, task.category.name), el('span', null, task.address || task.area_name), el('span', null, task.status_name)),
        el('span', {class: 'row-when'}, el('strong', {class: `tone-${left.risk}`}, left.text))));
    } else if (feature) {
      const title = String(feature.props.name ?? feature.props.title ?? layers[feature.layer]?.title ?? '');
      fill(card, el('div', {class: 'row'}, el('span', {class: 'row-sign'}, icon('map-pin')),
        el('span', {class: 'row-what'}, el('strong', null, title), el('span', null, [layers[feature.layer]?.title, feature.props.identifier].filter(Boolean).join(' · ')))));
    } else fill(card);
  }

  ready.catch(error => { fill(find('#big-map'), el('p', {class: 'list-note', role: 'alert'}, errorText(error))); });
  setInterval(() => { if (!document.hidden && map) void refresh(); }, 30_000);
}
