// The public report form, enhanced: photo preview and shrinking, position and map,
// what lies near, sending with honest states.

import {ApiError, getJson, urlOf} from '../lib/api.js';
import {el, fill, find} from '../lib/dom.js';
import {agoText} from '../lib/dates.js';
import {lang, t} from '../lib/i18n.js';
import {distanceText} from '../lib/units.js';
import {createNotes, keepDraft} from '../phone/fields.js';
import {createPlace} from '../phone/place.js';
import {isSecure, send} from '../phone/send.js';
import {createShots} from '../phone/shots.js';
import {errorText} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {bindQuestions} from '../ui/questions.js';

/** @typedef {{id: string, city: {bounds: [number, number, number, number], attribution?: string, zone: string}, most_photos: number}} Data */

/** @param {string} selector @param {ParentNode} [root] */
const input = (selector, root) => /** @type {HTMLInputElement} */ (find(selector, root));

/** @param {HTMLFormElement} form @param {Data} data */
export function startReport(form, data) {
  const notes = createNotes(form);
  const draft = keepDraft(form, 'wangge.report');
  const questions = bindQuestions(form, {kept: draft.before});
  const state = find('#place-state');
  const address = input('#address');
  /** What we wrote into the address, so that a person's own words are never replaced. */
  let proposed = '';
  let asked = 0;

  const shots = createShots({
    list: find('#shots'), drop: find('#photo-drop'), input: input('#photos'), base: '/api/public/blobs', most: data.most_photos,
    onChange: () => { if (shots.count()) notes.show('photos'); },
    onProblem: text => notes.show('photos', text),
  });
  const place = createPlace({host: find('#place-map'), city: data.city, onChange: at => { notes.show('place'); void name(at); }});

  find('#show-map').addEventListener('click', () => {
    place.show();
    state.textContent = t('place.drag');
  });
  find('#locate').addEventListener('click', async () => {
    state.textContent = t('place.locating');
    try {
      await place.locate();
      place.show();
    } catch (trouble) {
      state.textContent = t(`place.${trouble}`);
      place.show();
    }
  });

  /** Say where a point is, in words. @param {import('../phone/place.js').Place} at */
  async function name(at) {
    const turn = (asked += 1);
    state.textContent = at.accuracy ? t('place.accuracy', {m: Math.round(at.accuracy)}) : t('place.by_map');
    try {
      const found = await getJson(urlOf('/api/public/place', {lon: at.lon, lat: at.lat, category: chosen()}));
      if (turn !== asked) return;
      if (!found.inside) { notes.show('place', t('place.outside')); return; }
      const words = found.address ?? found.area;
      if (!address.value.trim() || address.value === proposed) address.value = proposed = words;
      state.textContent = [found.area, at.accuracy ? t('place.accuracy', {m: Math.round(at.accuracy)}) : t('place.by_map')].join(' · ');
      showNear(found.near ?? []);
    } catch (error) {
      // The address field stays: a name for the place is a help, no condition.
      if (turn === asked && error instanceof ApiError && error.status === 422) notes.show('place', errorText(error));
    }
  }

  /** @param {{category: string, distance_m: number, reported_at: string, state: string}[]} rows */
  function showNear(rows) {
    fill(find('#near'), rows.length > 0 && el('div', {class: 'strip'}, icon('info-circle'), el('span', null,
      t('near.some', {n: rows.length}), ' ',
      rows.slice(0, 3).map(row => t('near.one', {what: row.category, far: distanceText(row.distance_m), ago: agoText(row.reported_at, Date.now()), state: row.state})).join(lang() === 'zh' ? '；' : '; '))));
  }

  const chosen = () => {
    const data = new FormData(form);
    return String(data.get('category_other') || data.get('category') || '');
  };
  form.addEventListener('change', event => {
    const target = event.target;
    if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return;
    // One problem, one category: the list and the chips exclude each other.
    if (target.name === 'category') input('#category-other').value = '';
    if (target.name === 'category_other' && target.value) for (const radio of form.querySelectorAll('input[name="category"]')) /** @type {HTMLInputElement} */ (radio).checked = false;
    if (target.name.startsWith('category')) {
      notes.show('category');
      void questions.show(chosen());
      const at = place.get();
      if (at) void name(at);
    }
  });
  void questions.show(chosen());
  address.addEventListener('input', () => notes.show('place'));

  function problems() {
    /** @type {Record<string, string>} */
    const found = {};
    if (!shots.count()) found.photos = t('problem.photos');
    if (!chosen()) found.category = t('problem.category');
    if (!place.get() && !address.value.trim()) found.place = t('problem.place');
    return found;
  }

  const button = input('#send');
  const label = find('#send span');
  const idle = label.textContent ?? '';
  const summary = find('#errors');

  /** @param {string} text @param {boolean} busy */
  function show(text, busy) {
    label.textContent = text;
    button.disabled = busy;
    form.setAttribute('aria-busy', String(busy));
  }

  form.addEventListener('submit', async event => {
    if (!isSecure()) { lendPhotos(); return; }
    event.preventDefault();
    if (button.disabled || shots.isBusy()) return;
    const found = problems();
    summary.hidden = true;
    if (Object.keys(found).length) { notes.showAll(found); return; }
    await transmit();
  });

  /** Without a secure context the form posts itself; it then carries the small photos. */
  function lendPhotos() {
    const lent = new DataTransfer();
    for (const file of shots.files()) lent.items.add(file);
    input('#photos').files = lent.files;
    const at = place.get();
    if (at) { input('#lon').value = String(at.lon); input('#lat').value = String(at.lat); }
  }

  async function transmit() {
    show(t('send.photos'), true);
    try {
      const answer = await send({id: data.id, method: 'POST', url: '/', body: body(), photos: async () => {
        const hashes = await shots.send();
        show(t('send.report'), true);
        return hashes;
      }});
      draft.forget();
      location.assign(answer.url);
    } catch (error) {
      refused(error);
      show(idle, false);
    }
  }

  function body() {
    const typed = Object.fromEntries([...new FormData(form)].filter(([, value]) => typeof value === 'string'));
    const at = place.get();
    return {
      id: data.id, category: chosen(), text: String(typed.text ?? '').trim(), address: address.value.trim(),
      lon: at?.lon ?? null, lat: at?.lat ?? null, accuracy_m: at?.accuracy ?? null, coord_source: at?.source ?? null,
      name: String(typed.name ?? '').trim(), phone: String(typed.phone ?? '').trim(), answer: String(typed.answer ?? '').trim(), website: String(typed.website ?? ''),
      ...questions.answers(),
    };
  }

  /** @param {unknown} error */
  function refused(error) {
    const named = error instanceof ApiError ? Object.fromEntries(error.errors.map(({field, message}) => [field, message])) : {};
    // After many reports from one network a small question is asked, of people and robots alike.
    if (named.answer) find('#question').hidden = false;
    const rest = notes.showAll(named);
    const isNamed = Object.keys(named).length > rest.length;
    fill(summary, el('strong', null, t('send.failed')), ' ', isNamed ? rest.join(' ') : errorText(error), ' ', !isNamed && t('send.kept'));
    summary.hidden = false;
    if (!isNamed) summary.scrollIntoView({block: 'center'});
  }
}
