// Where it is: from the phone's position with its ring of accuracy, corrected by moving
// the map under a pin that stands still. A thumb never hides what it points at.

import {Circle} from 'leaflet';
import {el} from '../lib/dom.js';
import {lang, t} from '../lib/i18n.js';
import {token} from '../lib/theme.js';
import {createMap} from '../map/create.js';
import {icon} from '../ui/icon.js';

/** @typedef {{lon: number, lat: number, accuracy: number | null, source: 'gnss' | 'map_click', isMock?: boolean}} Place */
/** @typedef {'denied' | 'unavailable' | 'timeout' | 'unsupported'} Trouble */

const WAIT_MS = 12_000;
/** Where a pin stands after the position is known. */
const ZOOM = 17;
/** So wide a ring still fits the map at that zoom. */
const FITS_M = 90;

/** A rough position is shown with all of its ring. @param {Place} at */
const zoomOf = at => ZOOM - Math.max(0, Math.ceil(Math.log2((at.accuracy ?? 0) / FITS_M || 1)));

/** Browsers do not tell made-up positions; the shells of some phones add the word. @param {any} position */
const isMocked = position => [position, position.coords].some(one => Boolean(one.mocked ?? one.isMock ?? one.isFromMockProvider));

/**
 * @param {{host: HTMLElement, city: {bounds: [number, number, number, number], attribution?: string},
 *   onChange: (place: Place) => void}} options
 */
export function createPlace({host, city, onChange}) {
  /** @type {Place | null} */
  let place = null;
  /** @type {ReturnType<typeof createMap> | null} */
  let map = null;
  /** @type {Circle | null} */
  let ring = null;
  /** A person has moved the map since we did: only then does the pin mean another place. */
  let isTouched = false;
  let isOurs = false;

  /** Show the map, around the place if there is one. */
  function show() {
    host.hidden = false;
    if (map) return;
    const center = place ? /** @type {[number, number]} */ ([place.lon, place.lat]) : null;
    const made = createMap(host, {lang: lang(), bounds: city.bounds, center, zoom: place ? zoomOf(place) : null, attribution: city.attribution});
    map = made;
    host.setAttribute('role', 'application');
    host.setAttribute('aria-label', t('place.map'));
    host.append(el('div', {class: 'place-pin', 'aria-hidden': 'true'}, icon('map-pin-filled', {class: 'icon-fill'})));
    made.leaflet.on('dragstart zoomstart keydown click', () => { isTouched ||= !isOurs; });
    made.leaflet.on('moveend', moved);
    made.leaflet.on('click', event => made.leaflet.panTo(event.latlng));
    made.leaflet.on('resize', () => { if (place) look(place); });
    mark();
    drawRing();
  }

  /** A pin that stands for nothing yet is pale. */
  function mark() {
    host.classList.toggle('is-unset', !place);
  }

  /** Bring a place under the pin without meaning another one. @param {Place} at @param {number} [zoom] */
  function look(at, zoom) {
    isOurs = true;
    map?.leaflet.setView([at.lat, at.lon], zoom ?? map.leaflet.getZoom(), {animate: false});
    isOurs = false;
  }

  function moved() {
    const center = map?.leaflet.getCenter();
    if (!center || isOurs || !isTouched) return;
    place = {lon: center.lng, lat: center.lat, accuracy: null, source: 'map_click'};
    mark();
    onChange(place);
  }

  function drawRing() {
    ring?.remove();
    ring = null;
    if (!map || !place?.accuracy) return;
    ring = new Circle([place.lat, place.lon], {radius: place.accuracy, color: token('brand'), weight: 1.5, fillOpacity: 0.14, interactive: false});
    ring.addTo(map.leaflet);
  }

  /** Set the place as if the phone had said so. @param {Place} next */
  function set(next) {
    place = next;
    mark();
    isTouched = false;
    if (map) {
      look(next, zoomOf(next));
      drawRing();
    }
    onChange(next);
  }

  /** Ask the phone where it is. @returns {Promise<Place>} rejects with a `Trouble` */
  function locate() {
    return new Promise((resolve, reject) => {
      if (!navigator.geolocation || !window.isSecureContext) { reject('unsupported'); return; }
      navigator.geolocation.getCurrentPosition(
        position => {
          const {coords} = position;
          set({lon: coords.longitude, lat: coords.latitude, accuracy: coords.accuracy, source: 'gnss', isMock: isMocked(position)});
          resolve(/** @type {Place} */ (place));
        },
        error => reject(/** @type {Trouble[]} */ (['unavailable', 'denied', 'unavailable', 'timeout'])[error.code] ?? 'unavailable'),
        {enableHighAccuracy: true, timeout: WAIT_MS, maximumAge: 10_000});
    });
  }

  /** Mean no place any more, and show the whole city again. */
  function forget() {
    place = null;
    isTouched = false;
    mark();
    drawRing();
    isOurs = true;
    map?.fitBox(city.bounds, false);
    isOurs = false;
  }

  return {show, set, forget, locate, get: () => place};
}
