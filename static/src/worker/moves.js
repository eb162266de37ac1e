// A task: its place on a small map and the forms of what may be done now.

import {find} from '../lib/dom.js';
import {lang} from '../lib/i18n.js';
import {createMap} from '../map/create.js';
import {drawRing} from '../map/ring.js';
import {bindMove} from '../phone/moves.js';
import {here} from './here.js';
import {hideUnsent, showUnsent, watchNetwork} from './strip.js';

/** @param {HTMLElement} task @param {any} data */
export function startMoves(task, data) {
  watchNetwork();
  find('#show-map').addEventListener('click', () => showMap(data), {once: true});
  for (const form of task.querySelectorAll('form[data-move]')) {
    bindMove(/** @type {HTMLFormElement} */ (form), data, {
      here: () => here({fresh: true}),
      onDone: action => {
        hideUnsent();
        location.assign(`/worker/tasks/${data.case.id}?done=${encodeURIComponent(action)}`);
      },
      onFailed: (error, retry) => showUnsent(error, () => { hideUnsent(); retry(); }),
    });
  }
}

/** @param {any} data */
function showMap(data) {
  const host = find('#place-map');
  host.hidden = false;
  const map = createMap(host, {lang: lang(), bounds: data.city.bounds, center: [data.case.lon, data.case.lat], zoom: 17, attribution: data.city.attribution});
  map.incidents.show([data.case]);
  map.incidents.select(data.case.id);
  drawRing(map.leaflet, data.case);
  host.scrollIntoView({block: 'center'});
}
