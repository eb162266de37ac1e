// The cases of the list on a map beside it, where the screen has room for both. What the mouse
// is on in the list has a ring on the map; a press on a mark opens its case.

import {lang} from '../lib/i18n.js';
import {createMap} from '../map/create.js';

const ROOM = '(min-width: 1280px)';
/** Degrees around the outermost cases. */
const EDGE = 0.002;

const rowsShown = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll('#cases [data-case]')]);

/** @param {HTMLElement} row @returns {import('../map/incidents.js').Marked} */
const marked = ({dataset}) => ({
  id: String(dataset.case), lon: Number(dataset.lon), lat: Number(dataset.lat),
  risk: /** @type {import('../lib/dates.js').Risk} */ (dataset.risk),
});

/** @param {import('../map/incidents.js').Marked[]} marks @returns {import('../map/create.js').Box} */
function around(marks) {
  const [lons, lats] = [marks.map(one => one.lon), marks.map(one => one.lat)];
  return [Math.min(...lons) - EDGE, Math.min(...lats) - EDGE, Math.max(...lons) + EDGE, Math.max(...lats) + EDGE];
}

/** @param {{city?: any}} data */
export function startListMap(data) {
  const host = document.getElementById('list-map');
  if (!host || !data.city) return;
  const wide = matchMedia(ROOM);
  const begin = () => {
    if (wide.matches && !host.childElementCount) draw(host, data.city);
  };
  wide.addEventListener('change', begin);
  begin();
}

/** @param {HTMLElement} host @param {any} city */
function draw(host, city) {
  const first = rowsShown().map(marked);
  if (!first.length) return;
  const map = createMap(host, {
    lang: lang(), bounds: around(first), room: city.bounds, attribution: city.attribution,
    onClick: ({incidents}) => {
      if (incidents.length) location.assign(`/desk/cases/${incidents[0].id}`);
    },
    onHover: hit => {
      const id = hit?.incidents[0]?.id;
      for (const row of rowsShown()) row.classList.toggle('is-shown', row.dataset.case === id);
    },
  });
  const show = () => map.incidents.show(rowsShown().map(marked));
  show();
  // The list renews itself; the map follows what stands in it.
  const list = document.querySelector('.list-pair');
  if (!list) return;
  new MutationObserver(show).observe(list, {childList: true});
  for (const name of ['mouseover', 'focusin']) {
    list.addEventListener(name, event => {
      const row = event.target instanceof Element ? event.target.closest('[data-case]') : null;
      map.incidents.hover(row instanceof HTMLElement ? String(row.dataset.case) : null);
    });
  }
}
