// Sending a table: drop a file, see where its places lie, wait for the worker.

import {CircleMarker} from 'leaflet';
import {getJson} from '../lib/api.js';
import {lang} from '../lib/i18n.js';
import {token} from '../lib/theme.js';
import {createMap} from '../map/create.js';

const EVERY_MS = 1000;

/** @param {HTMLElement} drop */
export function startDrop(drop) {
  const input = /** @type {HTMLInputElement} */ (drop.querySelector('input[type=file]'));
  const name = document.getElementById('drop-name');
  const show = () => { if (name && input.files?.length) name.textContent = input.files[0].name; };
  for (const kind of ['dragenter', 'dragover']) {
    drop.addEventListener(kind, event => { event.preventDefault(); drop.classList.add('is-over'); });
  }
  for (const kind of ['dragleave', 'drop']) drop.addEventListener(kind, () => drop.classList.remove('is-over'));
  drop.addEventListener('drop', event => {
    event.preventDefault();
    const files = /** @type {DragEvent} */ (event).dataTransfer?.files;
    if (files?.length) { input.files = files; show(); }
  });
  input.addEventListener('change', show);
  show();
  const source = /** @type {HTMLSelectElement | null} */ (document.getElementById('source'));
  const fresh = /** @type {HTMLFieldSetElement | null} */ (document.getElementById('new-source'));
  const follow = () => { if (source && fresh) { fresh.hidden = Boolean(source.value); fresh.disabled = Boolean(source.value); } };
  source?.addEventListener('change', follow);
  follow();
}

/** @param {HTMLElement} host @param {any} page */
export function startImportMap(host, page) {
  /** @type {[number, number][]} */
  const points = page.import.points ?? [];
  if (!points.length) return;
  host.hidden = false;
  const lons = points.map(point => point[0]);
  const lats = points.map(point => point[1]);
  const pad = 0.004;
  const map = createMap(host, {
    tiles: page.tiles.base, lang: lang(), room: page.city.bounds, attribution: page.city.attribution,
    bounds: [Math.min(...lons) - pad, Math.min(...lats) - pad, Math.max(...lons) + pad, Math.max(...lats) + pad],
  });
  for (const [lon, lat] of points) {
    new CircleMarker([lat, lon], {radius: 4, color: token('panel'), weight: 1, fillColor: token('brand'), fillOpacity: 1, interactive: false}).addTo(map.leaflet);
  }
}

/** Arrows lead from wrong cell to wrong cell, as in a sheet; what was changed shows. @param {HTMLElement} form */
export function startMending(form) {
  const cells = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll('input[aria-invalid]')]);
  for (const [at, cell] of cells.entries()) {
    cell.addEventListener('keydown', event => {
      const step = event.isComposing ? 0 : event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
      const next = step && cells[at + step];
      if (!next) return;
      event.preventDefault();
      next.focus();
      next.select();
    });
    cell.addEventListener('input', () => cell.classList.toggle('is-changed', cell.value !== cell.defaultValue));
  }
}

/** Ask until the worker is done with this step, then show what came of it. @param {HTMLElement} host @param {any} page */
export function startWaiting(host, page) {
  const bar = host.querySelector('progress');
  const ask = async () => {
    try {
      const found = await getJson(`/data/imports/${page.import.id}/state`);
      if (found.state !== host.dataset.state) { location.reload(); return; }
      if (bar && found.state === 'committing' && found.total) { bar.max = found.total; bar.value = found.done; }
    } catch { /* asked again */ }
    setTimeout(ask, EVERY_MS);
  };
  setTimeout(ask, EVERY_MS);
}
