// Something new on the spot: the phone says where, the map corrects it, the form carries both.

import {getJson, urlOf} from '../lib/api.js';
import {find} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {createNotes, forgetDraft, keepDraft} from '../phone/fields.js';
import {createPlace} from '../phone/place.js';
import {watchNetwork} from './strip.js';

/** @param {HTMLFormElement} form @param {{city: {bounds: [number, number, number, number], attribution?: string}}} data */
export function startNewEntry(form, data) {
  const input = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  const notes = createNotes(form);
  const [nameLine, gridLine, accuracy] = [find('#place-name'), find('#place-grid'), find('#accuracy')];
  const key = `wangge.worker-new.${input('register').value}`;
  if (new URLSearchParams(location.search).has('done')) forgetDraft(key);
  const draft = keepDraft(form, key);
  let asked = 0;
  watchNetwork();

  const place = createPlace({host: find('#place-map'), city: data.city, onChange: at => {
    notes.show('place');
    input('lon').value = at.lon.toFixed(6);
    input('lat').value = at.lat.toFixed(6);
    input('how').value = at.source;
    input('accuracy').value = at.accuracy ? String(Math.round(at.accuracy)) : '';
    draft.save();
    void name(at);
  }});

  /** @param {import('../phone/place.js').Place} at */
  async function name(at) {
    const turn = (asked += 1);
    accuracy.textContent = at.accuracy ? t('place.accuracy', {m: Math.round(at.accuracy)}) : t('place.by_map');
    try {
      const found = await getJson(urlOf('/worker/api/place', {lon: at.lon, lat: at.lat}));
      if (turn !== asked) return;
      nameLine.textContent = found.address ?? found.area;
      gridLine.textContent = [found.grid ?? t('place.no_grid'), found.area].filter(Boolean).join(' · ');
    } catch {
      nameLine.textContent = '';
      gridLine.textContent = '';
    }
  }

  async function locate() {
    accuracy.textContent = t('place.locating');
    try {
      await place.locate();
    } catch (trouble) {
      accuracy.textContent = '';
      notes.show('place', t(`place.${trouble}`));
    }
    place.show();
  }

  find('#locate').addEventListener('click', () => void locate());
  // The strip says that nothing can be sent; what was typed stays until it is entered.
  form.addEventListener('submit', event => { if (!navigator.onLine) event.preventDefault(); });
  const [lon, lat] = [Number(input('lon').value), Number(input('lat').value)];
  if (!input('lon').value) void locate();
  else {
    place.show();
    place.set({lon, lat, accuracy: Number(input('accuracy').value) || null, source: input('how').value === 'gnss' ? 'gnss' : 'map_click'});
  }
}
