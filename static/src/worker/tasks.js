// Today's list: the time left runs, distances from here, the nearest first among equals,
// and a look at the server now and then.

import {find} from '../lib/dom.js';
import {timeLeft} from '../lib/dates.js';
import {t} from '../lib/i18n.js';
import {distanceM, distanceText} from '../lib/units.js';
import {here} from './here.js';

const EVERY_MS = 20_000;
const TICK_MS = 15_000;

/** @param {{now?: string}} data */
export function startTasks(data) {
  // The phone's clock may be wrong; the page came with the server's.
  const offset = data.now ? Date.parse(data.now) - Date.now() : 0;
  const now = () => Date.now() + offset;

  function showTimes() {
    for (const node of document.querySelectorAll('[data-due]')) {
      if (!(node instanceof HTMLElement)) continue;
      const {risk, text} = timeLeft({due_at: node.dataset.due || null, risk: /** @type {import('../lib/dates.js').Risk} */ (node.dataset.risk)}, now());
      node.textContent = text;
      node.className = `tone-${risk}`;
    }
    for (const node of document.querySelectorAll('[data-until]')) {
      const left = Date.parse(node.getAttribute('data-until') ?? '') - now();
      node.textContent = `${Math.max(0, Math.floor(left / 3_600_000))}:${String(Math.max(0, Math.floor(left / 60_000)) % 60).padStart(2, '0')}`;
    }
  }

  async function showDistances() {
    const places = [...document.querySelectorAll('[data-lon]')].filter(node => node instanceof HTMLElement && node.dataset.lon);
    if (!places.length) return;
    const at = await here().catch(() => null);
    if (!at) return;
    for (const node of /** @type {HTMLElement[]} */ (places)) {
      const far = distanceM([at.lon, at.lat], [Number(node.dataset.lon), Number(node.dataset.lat)]);
      node.dataset.far = String(far);
      const label = node.querySelector('[data-distance]');
      if (label) label.textContent = distanceText(far);
    }
    sort();
  }

  /** By the server's rank of urgency; among equals the nearest first. */
  function sort() {
    const list = document.getElementById('task-rows');
    if (!list) return;
    const key = (/** @type {Element} */ item) => {
      const row = /** @type {HTMLElement} */ (item.firstElementChild);
      return [Number(row.dataset.rank), Number(row.dataset.far)];
    };
    const items = [...list.children].sort((a, b) => { const [x, y] = [key(a), key(b)]; return x[0] - y[0] || x[1] - y[1]; });
    if (items.some((item, place) => item !== list.children[place])) list.append(...items);
    const note = find('#order-note');
    note.textContent = note.dataset.byDistance ?? note.textContent;
  }

  async function refresh() {
    const shown = document.querySelector('[data-refresh]');
    if (!shown || document.hidden) return;
    try {
      const answer = await fetch(location.pathname, {headers: {Accept: 'text/html'}, credentials: 'same-origin'});
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const next = page.getElementById(shown.id);
      if (next) document.getElementById(shown.id)?.replaceWith(document.adoptNode(next));
      const title = page.querySelector('.app-title');
      if (title) document.querySelector('.app-title')?.replaceWith(document.adoptNode(title));
      showTimes();
      await showDistances();
    } catch {
      const note = document.getElementById('as-of');
      note?.classList.add('tone-soon');
      if (note) note.textContent = t('list.stale');
    }
  }

  showTimes();
  void showDistances();
  setInterval(showTimes, TICK_MS);
  setInterval(refresh, EVERY_MS);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) void refresh(); });
}
