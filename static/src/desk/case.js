// A case on the desk: its place on a map, and the forms of the next steps.

import {find} from '../lib/dom.js';
import {lang} from '../lib/i18n.js';
import {createMap} from '../map/create.js';
import {drawRing} from '../map/ring.js';
import {bindMove} from '../phone/moves.js';

/** @param {HTMLElement} host @param {any} data */
export function startCase(host, data) {
  const place = find('#place-map');
  place.hidden = false;
  const map = createMap(place, {lang: lang(), bounds: data.city.bounds, center: [data.case.lon, data.case.lat], zoom: 17, attribution: data.city.attribution});
  map.incidents.show([data.case]);
  map.incidents.select(data.case.id);
  drawRing(map.leaflet, data.case);
  for (const form of host.querySelectorAll('form[data-move]')) {
    bindMove(/** @type {HTMLFormElement} */ (form), data, {
      onDone: action => location.assign(`/desk/cases/${data.case.id}?done=${encodeURIComponent(action)}`),
    });
  }
}
