// The designer of grids: today and the plan side by side, and a hand that changes the plan.

import {getJson, sendJson} from '../lib/api.js';
import {el, fill, find} from '../lib/dom.js';
import {lang, number, t} from '../lib/i18n.js';
import {onTheme, token} from '../lib/theme.js';
import {createMap} from '../map/create.js';
import {rampColours} from '../map/choropleth.js';
import {errorText} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {PatchLayer} from './patch-layer.js';
import {createPatches, loadStep, unrolled} from './patches.js';

/** @typedef {{households: number, hours: number, cases: number, area_m2: number, compactness: number, pieces: number}} Figures */
/** @typedef {{label: number, code: string | null, name: string, community: string, is_changed: boolean, is_frozen: boolean, joined: number, before: Figures | null, after: Figures | null}} Grid */
/** @typedef {{edit: number, labels: number[], figures: {grids: Grid[], before: any, after: any, moved_households: number, households: number, scattered: string[]}}} State */

/** @param {HTMLElement} host @param {any} page */
export async function startDesigner(host, page) {
  const {plan} = page;
  const base = `/data/grids/plans/${plan.id}`;
  host.hidden = false;
  const says = find('#designer-says', host);
  says.textContent = t('grids.loading');
  /** @type {[any, State]} */
  const [ground, first] = await Promise.all([getJson(`${base}/ground`), getJson(`${base}/state`)]).catch(error => {
    says.textContent = errorText(error);
    throw error;
  });
  says.textContent = '';
  const patches = createPatches(ground);
  let state = first;
  let labels = unrolled(first.labels);
  let selected = -1;
  let mode = /** @type {'select' | 'paint' | 'merge'} */ ('select');
  let isBusy = false;

  const gridOf = (/** @type {number} */ label) => state.figures.grids.find(grid => grid.label === label);
  const nameOf = (/** @type {Grid | undefined} */ grid) => (grid ? grid.name || `${t('grids.newGrid')} ${grid.label}` : '');
  const options = {tiles: page.tiles.base, lang: lang(), bounds: plan.bounds, room: page.city.bounds};
  const maps = {
    before: createMap(find('#map-before', host), {...options, controls: false, onClick: ({lon, lat}) => choose(patches.at(lon, lat), patches.owner)}),
    after: createMap(find('#map-after', host), {...options, attribution: page.city.attribution, onClick: ({lon, lat}) => choose(patches.at(lon, lat), labels)}),
  };
  const layers = {before: layerFor('before'), after: layerFor('after')};
  layers.before.addTo(maps.before.leaflet);
  layers.after.addTo(maps.after.leaflet);
  together(maps.before.leaflet, maps.after.leaflet);
  onTheme(draw);
  if (plan.canEdit) bindPaint(maps.after.leaflet);
  show();

  /** @param {'before' | 'after'} when */
  function layerFor(when) {
    return new PatchLayer(patches, () => {
      const ramp = rampColours();
      const mean = state.figures.after.hours_mean;
      const steps = new Map(state.figures.grids.map(grid => [grid.label, grid[when] ? loadStep(/** @type {Figures} */ (grid[when]).hours, mean) : 0]));
      return {
        labels: when === 'before' ? patches.owner : labels, fill: label => ramp[steps.get(label) ?? 0], opacity: 0.72, selected,
        edge: token('text'), town: token('text'), fine: token('edge-strong'), select: token('brand'),
      };
    });
  }

  function draw() {
    layers.before.redraw();
    layers.after.redraw();
  }

  /** @param {number} patch @param {Int32Array} of */
  function choose(patch, of) {
    if (patch < 0 || isBusy) return;
    const label = of[patch];
    if (mode === 'merge' && selected >= 0 && label !== selected) {
      mode = 'select';
      edit({action: 'merge', grid: selected, other: label});
    } else if (mode !== 'paint') {
      selected = label === selected ? -1 : label;
      show();
      document.querySelector(`#compare tr[data-label="${selected}"]`)?.scrollIntoView({block: 'nearest'});
    }
  }

  /** @param {{action: string, grid?: number, other?: number, patches?: number[]}} body */
  async function edit(body) {
    isBusy = true;
    says.textContent = t('grids.saving');
    try {
      state = await sendJson('POST', `${base}/edits`, {...body, edit: state.edit});
      says.textContent = state.figures.scattered.length ? t('grids.scattered', {grids: state.figures.scattered.join(', ')}) : t('grids.saved');
    } catch (error) {
      says.textContent = errorText(error);
      state = await getJson(`${base}/state`).catch(() => state);
    }
    labels = unrolled(state.labels);
    if (!gridOf(selected)?.after) selected = -1;
    isBusy = false;
    show();
  }

  /** Paint with the pointer held down: patches go to the chosen grid when it is let go. @param {import('leaflet').Map} map */
  function bindPaint(map) {
    const surface = map.getContainer();
    /** @type {Set<number> | null} */
    let painted = null;
    const touch = (/** @type {PointerEvent} */ event) => {
      const {lat, lng} = map.mouseEventToLatLng(event);
      const patch = patches.at(lng, lat);
      if (patch < 0 || labels[patch] === selected) return;
      if (gridOf(labels[patch])?.community !== gridOf(selected)?.community) {
        says.textContent = t('grids.otherCommunity');
        return;
      }
      painted?.add(patch);
      labels[patch] = selected;
      layers.after.redraw();
    };
    surface.addEventListener('pointerdown', event => {
      if (mode !== 'paint' || selected < 0 || isBusy || event.button) return;
      event.preventDefault();
      painted = new Set();
      surface.setPointerCapture(event.pointerId);
      touch(event);
    });
    surface.addEventListener('pointermove', event => painted && touch(event));
    const stop = () => {
      const done = painted;
      painted = null;
      if (done?.size) edit({action: 'move', grid: selected, patches: [...done]});
    };
    surface.addEventListener('pointerup', stop);
    surface.addEventListener('pointercancel', stop);
  }

  /** @param {typeof mode} next */
  function setMode(next) {
    mode = mode === next ? 'select' : next;
    show();
  }

  function show() {
    if (selected < 0 && mode !== 'select') mode = 'select';
    const {leaflet} = maps.after;
    if (mode === 'paint') leaflet.dragging.disable();
    else leaflet.dragging.enable();
    leaflet.getContainer().classList.toggle('is-painting', mode === 'paint');
    tools();
    key();
    table();
    draw();
  }

  function tools() {
    const grid = gridOf(selected);
    const isFixed = !grid?.after || grid.is_frozen || isBusy;
    const tool = (/** @type {string} */ sign, /** @type {string} */ text, /** @type {() => void} */ press, /** @type {boolean} */ isOff, /** @type {boolean | undefined} */ isOn = undefined) =>
      el('button', {class: 'btn', type: 'button', disabled: isOff, 'aria-pressed': isOn === undefined ? null : String(isOn), onclick: press}, icon(sign), text);
    fill(find('#tools', host),
      plan.canEdit && tool('pencil', t('grids.paint'), () => setMode('paint'), isFixed, mode === 'paint'),
      plan.canEdit && tool('columns-3', t('grids.split'), () => edit({action: 'split', grid: selected}), isFixed),
      plan.canEdit && tool('git-merge', t('grids.merge'), () => setMode('merge'), isFixed, mode === 'merge'),
      plan.canEdit && tool('arrow-back-up', t('grids.undo'), () => edit({action: 'undo'}), isBusy || !state.edit),
      el('span', {class: 'muted'}, grid
        ? `${nameOf(grid)} ${grid.code ?? ''} · ${grid.after ? t('grids.holds', {households: number(grid.after.households), hours: number(Math.round(grid.after.hours))}) : t('grids.ends')}`
        : t('grids.pick')),
      mode === 'merge' && el('b', null, t('grids.mergeWith')), mode === 'paint' && el('b', null, t('grids.paintHow')));
  }

  function key() {
    const ramp = rampColours();
    fill(find('#legend', host), el('b', null, t('grids.key')), el('ul', null, ...['< 70%', '70–90%', '90–110%', '110–130%', '> 130%'].map((words, step) =>
      el('li', null, el('i', {style: {background: ramp[step]}}), words))));
  }

  function table() {
    const {figures} = state;
    const told = [...document.querySelectorAll('#plan-figures dd')];
    const pair = (/** @type {string} */ name, /** @type {number} */ digits) => [el('span', {class: 'muted'}, number(figures.before[name], digits)), ` → ${number(figures.after[name], digits)}`];
    if (told.length === 5) {
      fill(told[0], ...pair('grids', 0));
      fill(told[1], ...pair('hours_ratio', 2));
      fill(told[2], ...pair('households_ratio', 2));
      fill(told[3], ...pair('compactness', 2));
      fill(told[4], number(figures.moved_households), el('span', {class: 'muted'}, ` / ${number(figures.households)}`));
    }
    const body = find('#compare tbody');
    let community = '';
    fill(body, ...[...figures.grids].sort((a, b) => a.community.localeCompare(b.community) || a.label - b.label).flatMap(grid => {
      const head = grid.community === community ? [] : [el('tr', {class: 'group-row'}, el('th', {scope: 'rowgroup', colspan: '7'}, plan.communities[grid.community] ?? grid.community))];
      community = grid.community;
      return [...head, row(grid)];
    }));
  }

  /** Bring a grid into view, as it will be or, where it ends, as it is. @param {Grid} grid */
  function lookAt(grid) {
    const of = grid.after ? labels : patches.owner;
    const box = patches.boxOf(patch => of[patch] === grid.label);
    if (box) maps.after.leaflet.fitBounds(box, {animate: false, maxZoom: 17});
  }

  /** @param {Grid} grid */
  function row(grid) {
    const {before, after} = grid;
    // The heads of the table are the page's own: on a narrow screen each cell carries its own.
    const heads = [...document.querySelectorAll('#compare thead th')].map(head => head.textContent ?? '');
    const cell = (/** @type {number} */ column, /** @type {(one: Figures) => number} */ value, /** @type {number} */ digits = 0) => el('td', {class: 'num', data: {th: heads[column]}},
      before && grid.is_changed && el('span', {class: 'muted'}, `${number(value(before), digits)} → `), after ? number(value(after), digits) : '–');
    return el('tr', {class: [!grid.is_changed && 'is-same', grid.label === selected && 'is-pointed'], data: {label: String(grid.label)}},
      el('th', {scope: 'row'}, el('button', {class: 'link', type: 'button', onclick: () => { selected = grid.label; show(); lookAt(grid); }}, nameOf(grid)), ' ',
        el('span', {class: 'muted mono small'}, grid.code ?? ''),
        !after && el('span', {class: 'badge badge-late'}, t('grids.ends')), !before && el('span', {class: 'badge badge-ok'}, t('grids.new')), grid.is_frozen && icon('lock'),
        after && after.pieces > 1 && el('span', {class: 'badge badge-late'}, t('grids.pieces', {n: after.pieces}))),
      cell(1, one => one.households), cell(2, one => one.hours), cell(3, one => one.cases), cell(4, one => one.area_m2 / 10_000, 1),
      el('td', {class: 'num', data: {th: heads[5]}}, after ? number(after.compactness, 2) : '–'), el('td', {class: 'num', data: {th: heads[6]}}, grid.joined ? number(grid.joined) : ''));
  }
}

/** Let two maps show the same place. @param {import('leaflet').Map} one @param {import('leaflet').Map} other */
function together(one, other) {
  let isFollowing = false;
  for (const [from, to] of [[one, other], [other, one]]) {
    from.on('moveend', () => {
      if (isFollowing) return;
      isFollowing = true;
      to.setView(from.getCenter(), from.getZoom(), {animate: false});
      isFollowing = false;
    });
  }
}
