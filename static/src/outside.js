// The task of an outside party, and the page on which staff make its link. Both work without
// this file; it shows the place, makes photos small and copies the link.

import {Circle} from 'leaflet';
import {ApiError} from './lib/api.js';
import {fill, find, pageData} from './lib/dom.js';
import {lang, setZone, t, useMessages} from './lib/i18n.js';
import {token} from './lib/theme.js';
import commonZh from './messages/common.zh.js';
import commonEn from './messages/common.en.js';
import zh from './messages/intake.zh.js';
import en from './messages/intake.en.js';
import {createMap} from './map/create.js';
import {createNotes} from './phone/fields.js';
import {isSecure, send} from './phone/send.js';
import {createShots} from './phone/shots.js';
import {errorText} from './ui/errors.js';
import {bindThemeSwitch} from './ui/theme-switch.js';

useMessages({zh: commonZh, en: commonEn});
useMessages({zh, en});
document.documentElement.classList.add('has-script');

const data = pageData();
setZone(data.city?.zone);
bindThemeSwitch();

for (const button of document.querySelectorAll('[data-copy]')) {
  button.addEventListener('click', async () => {
    const field = /** @type {HTMLInputElement} */ (find(`#${button.getAttribute('data-copy')}`));
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand('copy');
    }
    button.textContent = t('intake.copied');
  });
}

const map = document.getElementById('place-map');
if (map && data.place) {
  map.hidden = false;
  const {lon, lat} = data.place;
  const made = createMap(map, {lang: lang(), bounds: data.city.bounds, center: [lon, lat], zoom: 16, attribution: data.city.attribution});
  new Circle([lat, lon], {radius: 14, color: token('late'), weight: 3, fillOpacity: 0.3, interactive: false}).addTo(made.leaflet);
}

const form = document.getElementById('answer');
if (form instanceof HTMLFormElement) bindAnswer(form);

/** @param {HTMLFormElement} form */
function bindAnswer(form) {
  const notes = createNotes(form);
  const input = /** @type {HTMLInputElement} */ (find('#photos'));
  const note = /** @type {HTMLTextAreaElement} */ (find('#note'));
  const button = /** @type {HTMLButtonElement} */ (find('#send'));
  const errors = find('#errors');
  const label = find('#send span');
  const idle = label.textContent ?? '';
  const shots = createShots({list: find('#shots'), drop: find('#photo-drop'), input, base: '/api/public/blobs', most: data.most_photos,
    onChange: () => notes.show('photos'), onProblem: text => notes.show('photos', text)});

  form.addEventListener('submit', async event => {
    if (!isSecure()) {
      const lent = new DataTransfer();
      for (const file of shots.files()) lent.items.add(file);
      input.files = lent.files;
      return;
    }
    event.preventDefault();
    if (button.disabled || shots.isBusy()) return;
    button.disabled = true;
    errors.hidden = true;
    notes.clear();
    label.textContent = t('intake.sending');
    try {
      const id = /** @type {HTMLInputElement} */ (form.elements.namedItem('id')).value;
      const answer = await send({id, method: 'POST', url: form.action, body: {id, note: note.value.trim()}, photos: () => shots.send()});
      location.assign(answer.url);
    } catch (error) {
      const named = error instanceof ApiError ? Object.fromEntries(error.errors.map(one => [one.field, one.message])) : {};
      const rest = notes.showAll(named);
      const isNamed = Object.keys(named).length > rest.length;
      fill(errors, isNamed ? rest.join(' ') : errorText(error));
      errors.hidden = isNamed && !rest.length;
      button.disabled = false;
      label.textContent = idle;
    }
  });
}
