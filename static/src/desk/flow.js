// Forms of disputes and hazards: photos shown and made small before the form is sent the
// plain way, a check-list that asks for a photo where an item failed, printing, the own place.

import {lang, t} from '../lib/i18n.js';
import {createMap} from '../map/create.js';
import {createShots} from '../phone/shots.js';

/** Put files into a file input, as if they had been chosen. @param {HTMLInputElement} input @param {Iterable<File>} files */
function lend(input, files) {
  const lent = new DataTransfer();
  for (const file of files) lent.items.add(file);
  input.files = lent.files;
}

/** @param {HTMLFormElement} form @param {number} most */
function bindForm(form, most) {
  const input = form.querySelector('input[type="file"][name="photos"]');
  const drop = input?.closest('.photo-drop');
  const list = form.querySelector('.shots');
  const note = /** @type {HTMLElement | null} */ (form.querySelector('[data-field="photos"] .field-error'));
  if (!(input instanceof HTMLInputElement) || !(drop instanceof HTMLElement) || !(list instanceof HTMLElement)) return;
  const shots = createShots({list, drop, input, base: '', most, onProblem: text => {
    if (note) { note.textContent = text; note.hidden = false; }
  }});
  for (const name of ['dragover', 'drop']) {
    drop.addEventListener(name, event => {
      event.preventDefault();
      const files = event instanceof DragEvent && name === 'drop' ? event.dataTransfer?.files : null;
      if (files?.length) { lend(input, files); input.dispatchEvent(new Event('change', {bubbles: true})); }
    });
  }
  form.addEventListener('submit', event => {
    if (shots.isBusy()) { event.preventDefault(); return; }
    lend(input, shots.files());
  });
}

/** One send at a time: pressing twice sends the same id, this only spares the second answer. @param {HTMLFormElement} form */
function once(form) {
  form.addEventListener('submit', event => {
    if (form.dataset.isSent) { event.preventDefault(); return; }
    if (event.defaultPrevented) return;
    form.dataset.isSent = '1';
    setTimeout(() => { delete form.dataset.isSent; }, 8000);
  });
}

/** Say how many items are answered and how many failed. @param {HTMLFormElement} form */
function countAnswers(form) {
  const note = form.querySelector('[data-answered]');
  const bar = form.querySelector('progress');
  if (!(note instanceof HTMLElement) || !bar) return;
  const show = () => {
    const chosen = [...form.querySelectorAll('.check input[type="radio"]:checked')];
    const failed = chosen.filter(one => one instanceof HTMLInputElement && one.value === 'failed').length;
    note.textContent = t('check.answered', {n: chosen.length, of: String(note.dataset.of), failed});
    bar.value = chosen.length;
  };
  form.addEventListener('change', show);
  show();
}

/** @param {HTMLElement} button */
function bindHere(button) {
  button.addEventListener('click', () => {
    button.setAttribute('aria-busy', 'true');
    navigator.geolocation.getCurrentPosition(({coords}) => {
      const form = button.closest('form');
      for (const [name, value] of [['lon', coords.longitude], ['lat', coords.latitude]]) {
        const field = form?.querySelector(`[name="${name}"]`);
        if (field instanceof HTMLInputElement) field.value = Number(value).toFixed(6);
      }
      button.removeAttribute('aria-busy');
    }, () => { button.textContent = t('check.unknown'); button.removeAttribute('aria-busy'); }, {enableHighAccuracy: true, timeout: 10_000});
  });
}

/** @param {{city?: any, place?: {lon: number, lat: number}, most_photos?: number}} data */
export function startFlow(data) {
  for (const form of document.querySelectorAll('form[data-flow]')) {
    if (form instanceof HTMLFormElement) { bindForm(form, data.most_photos ?? 3); once(form); }
  }
  for (const form of document.querySelectorAll('form[data-checklist]')) if (form instanceof HTMLFormElement) { once(form); countAnswers(form); }
  for (const button of document.querySelectorAll('[data-print]')) button.addEventListener('click', () => print());
  for (const button of document.querySelectorAll('[data-here]')) if (button instanceof HTMLElement) bindHere(button);
  document.querySelector('[data-invalid]')?.scrollIntoView({block: 'center'});
  const host = document.getElementById('place-map');
  if (host && data.place) {
    host.hidden = false;
    const map = createMap(host, {lang: lang(), bounds: data.city.bounds, center: [data.place.lon, data.place.lat], zoom: 17, attribution: data.city.attribution});
    map.incidents.show([{id: 'here', lon: data.place.lon, lat: data.place.lat, risk: 'soon'}]);
  }
}
