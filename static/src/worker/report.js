// Report in four taps: the button opens the camera, a chip says what, the phone says
// where, one press sends. "Sent" is said only with the server's number.

import {ApiError, getJson, urlOf} from '../lib/api.js';
import {el, fill, find} from '../lib/dom.js';
import {agoText} from '../lib/dates.js';
import {t} from '../lib/i18n.js';
import {distanceText} from '../lib/units.js';
import {createNotes, keepDraft} from '../phone/fields.js';
import {isInside} from '../phone/inside.js';
import {createPlace} from '../phone/place.js';
import {isSecure, send} from '../phone/send.js';
import {createShots} from '../phone/shots.js';
import {confirmDialog} from '../ui/dialog.js';
import {errorText} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {bindQuestions} from '../ui/questions.js';
import {pickCategory} from './categories.js';
import {hideUnsent, showUnsent, watchNetwork} from './strip.js';

/** @typedef {{id: string, city: {bounds: [number, number, number, number], attribution?: string}, most_photos: number, own?: import('../phone/inside.js').Shape | null}} Data */

/** So rough a position may lie in another grid. */
const ROUGH_M = 200;
const LONGEST_MS = 3000;
const PARKED = 'wangge.parked';

/**
 * The report button opens the camera at once. The photo then has to cross to the report's
 * page: it is parked in the page's own cache storage, which any tab of this site can read.
 */
export function bindCamera() {
  const tab = document.getElementById('tab-report');
  if (!tab || !isSecure() || !('caches' in window)) return;
  const input = el('input', {type: 'file', class: 'over', accept: 'image/*', capture: 'environment', id: 'tab-camera', 'aria-label': t('report.camera')});
  input.addEventListener('change', async () => {
    const [file] = input.files ?? [];
    if (!file) return;
    try {
      const cache = await caches.open(PARKED);
      await cache.put('/worker/parked', new Response(file, {headers: {'Content-Type': file.type, 'X-Name': encodeURIComponent(file.name)}}));
    } finally {
      location.assign('/worker/report');
    }
  });
  const holder = el('label', {class: tab.className, id: 'tab-report'});
  holder.append(...tab.childNodes, input);
  tab.replaceWith(holder);
}

/** The photo that the report button took, once. @returns {Promise<File | null>} */
async function parked() {
  if (!('caches' in window)) return null;
  const cache = await caches.open(PARKED);
  const found = await cache.match('/worker/parked');
  if (!found) return null;
  const blob = await found.blob();
  await caches.delete(PARKED);
  return new File([blob], decodeURIComponent(found.headers.get('X-Name') ?? 'photo.jpg'), {type: blob.type});
}

/** @param {string} selector */
const input = selector => /** @type {HTMLInputElement} */ (find(selector));

/** @param {HTMLFormElement} form @param {Data} data */
export function startReport(form, data) {
  const notes = createNotes(form);
  const draft = keepDraft(form, 'wangge.worker-report');
  const questions = bindQuestions(form, {kept: draft.before});
  const [nameLine, gridLine, accuracy] = [find('#place-name'), find('#place-grid'), find('#accuracy')];
  let address = '';
  let asked = 0;
  /** The place lies in the own grid: as the server said, or without a network by the shape on this phone. */
  let isOwn = true;
  /** @type {Promise<void>} */
  let naming = Promise.resolve();
  let elsewhere = '';
  /** Of which place somebody said that it is meant although it lies elsewhere. */
  let meant = '';
  watchNetwork();

  const shots = createShots({
    list: find('#shots'), drop: find('#photo-drop'), input: input('#photos'), base: '/api/blobs', most: data.most_photos,
    onChange: () => { if (shots.count()) notes.show('photos'); },
    onProblem: text => notes.show('photos', text),
  });
  void parked().then(file => file && shots.add([file]));

  const place = createPlace({host: find('#place-map'), city: data.city, onChange: at => { notes.show('place'); isOwn = true; naming = name(at); }});
  find('#show-map').addEventListener('click', () => place.show());
  find('#locate').addEventListener('click', () => void locate());

  async function locate() {
    accuracy.textContent = t('place.locating');
    try {
      await place.locate();
    } catch (trouble) {
      accuracy.textContent = '';
      notes.show('place', t(`place.${trouble}`));
      place.show();
    }
  }
  void locate();

  const chosen = () => String(new FormData(form).get('category') ?? '');

  /** @param {import('../phone/place.js').Place} at */
  async function name(at) {
    const turn = (asked += 1);
    accuracy.textContent = at.accuracy ? t('place.accuracy', {m: Math.round(at.accuracy)}) : t('place.by_map');
    // A position that may be streets away is looked at on the map, with its ring.
    if (at.accuracy && at.accuracy > ROUGH_M) { place.show(); notes.show('place', t('place.rough', {m: Math.round(at.accuracy)})); }
    try {
      const found = await getJson(urlOf('/worker/api/place', {lon: at.lon, lat: at.lat, category: chosen()}));
      if (turn !== asked) return;
      address = found.address ?? '';
      nameLine.textContent = found.address ?? found.area;
      gridLine.textContent = [found.grid ?? t('place.no_grid'), found.area].filter(Boolean).join(' · ');
      isOwn = found.own !== false;
      elsewhere = found.grid ?? found.area;
      if (!found.inside) notes.show('place', t('place.outside'));
      showNear(found.near);
    } catch (error) {
      if (turn !== asked) return;
      nameLine.textContent = `${at.lon.toFixed(5)}, ${at.lat.toFixed(5)}`;
      gridLine.textContent = t('place.unnamed');
      isOwn = !data.own || isInside(data.own, at.lon, at.lat);
      elsewhere = '';
      if (error instanceof ApiError && error.status === 422) notes.show('place', errorText(error));
    }
  }

  /** @param {{id: string, category: string, distance_m: number, reported_at: string, state: string, thumb: string | null}[]} rows */
  function showNear(rows) {
    const host = find('#near');
    host.hidden = false;
    if (!rows.length) { fill(host, el('p', {class: 'hint'}, t('near.none'))); return; }
    fill(host, el('p', {class: 'hint'}, t('near.some', {n: rows.length})), el('ul', {class: 'near-list'}, rows.slice(0, 3).map(row =>
      el('li', null, row.thumb && el('img', {src: row.thumb, alt: ''}),
        el('a', {href: `/worker/tasks/${row.id}`}, el('strong', null, row.category), el('br'), el('span', {class: 'hint'}, `${distanceText(row.distance_m)} · ${agoText(row.reported_at, Date.now())} · ${row.state}`))))));
  }

  form.addEventListener('change', event => {
    if (!(event.target instanceof HTMLInputElement) || event.target.name !== 'category') return;
    notes.show('category');
    void questions.show(chosen());
    const at = place.get();
    if (at) naming = name(at);
  });
  void questions.show(chosen());
  find('#more-categories').addEventListener('click', () => pickCategory(({code, name: label}) => {
    const known = form.querySelector(`input[name="category"][value="${CSS.escape(code)}"]`);
    const radio = known instanceof HTMLInputElement ? known : el('input', {type: 'radio', name: 'category', value: code});
    if (!known) find('#more-categories').before(el('label', {class: 'choice'}, radio, el('span', null, label)));
    radio.checked = true;
    radio.dispatchEvent(new Event('change', {bubbles: true}));
    radio.focus();
  }));

  /** Trying again must send the very same report: its time is that of the first try. */
  let claimedAt = '';
  const button = input('#send');
  const label = find('#send span');
  const idle = label.textContent ?? '';
  const summary = find('#errors');

  /** @param {string} text @param {boolean} busy */
  function show(text, busy) {
    label.textContent = text;
    button.disabled = busy;
  }

  function problems() {
    /** @type {Record<string, string>} */
    const found = {};
    if (!shots.count()) found.photos = t('problem.photos');
    if (!chosen()) found.category = t('problem.category');
    if (!place.get()) found.place = t('problem.place');
    return found;
  }

  form.addEventListener('submit', async event => {
    if (!isSecure()) { lendPhotos(); return; }
    event.preventDefault();
    if (button.disabled || shots.isBusy()) return;
    summary.hidden = true;
    const found = problems();
    if (Object.keys(found).length) notes.showAll(found);
    else if (await isMeant()) await transmit();
  });

  /** What lies outside of the own grid is sent only when somebody says that it is meant. */
  async function isMeant() {
    // The answer may be on its way; without a network nobody waits for it.
    await Promise.race([naming, new Promise(done => setTimeout(done, LONGEST_MS))]);
    if (isOwn || meant === spot()) return true;
    const isSure = await confirmDialog({title: t('elsewhere.title'), text: elsewhere ? t('elsewhere.text', {name: elsewhere}) : t('elsewhere.offline'), action: t('elsewhere.send')});
    if (isSure) meant = spot();
    return isSure;
  }

  /** The place as a word that changes when it does. */
  const spot = () => { const at = place.get(); return at ? `${at.lon},${at.lat}` : ''; };


  /** Without a secure context the form posts itself; it then carries the small photos. */
  function lendPhotos() {
    const lent = new DataTransfer();
    for (const file of shots.files()) lent.items.add(file);
    input('#photos').files = lent.files;
    const at = place.get();
    if (at) { input('#lon').value = String(at.lon); input('#lat').value = String(at.lat); }
  }

  async function transmit() {
    const at = /** @type {import('../phone/place.js').Place} */ (place.get());
    claimedAt ||= new Date().toISOString();
    const body = {
      category: chosen(), text: input('#text').value.trim(), address, lon: at.lon, lat: at.lat, accuracy_m: at.accuracy,
      coord_source: at.source, device_at: claimedAt, channel: 'worker', answers: questions.named(),
      ...(at.isMock && {mock_place: true}), ...(meant === spot() && {outside_own: true}),
    };
    show(t('send.photos'), true);
    try {
      const answer = await send({id: data.id, method: 'PUT', url: `/api/incidents/${data.id}`, body, photos: async () => {
        const hashes = await shots.send();
        show(t('send.report'), true);
        return hashes;
      }});
      hideUnsent();
      draft.forget();
      showSent(answer);
    } catch (error) {
      if (await wasTaken(error)) return;
      show(idle, false);
      refused(error);
    }
  }

  /** An answer was lost and the form changed since: the server has the first one. @param {unknown} error */
  async function wasTaken(error) {
    if (!(error instanceof ApiError) || error.code !== 'incident.other_body') return false;
    const kept = await getJson(`/api/incidents/${data.id}`).catch(() => null);
    if (!kept) return false;
    hideUnsent();
    draft.forget();
    showSent(kept);
    return true;
  }

  /** @param {unknown} error */
  function refused(error) {
    const named = error instanceof ApiError ? Object.fromEntries(error.errors.map(({field, message}) => [({lon: 'place', lat: 'place', point: 'place', address: 'place'})[field] ?? field, message])) : {};
    const rest = notes.showAll(named);
    const isNamed = Object.keys(named).length > rest.length;
    fill(summary, el('strong', null, t('send.failed')), ' ', isNamed ? rest.join(' ') : errorText(error));
    summary.hidden = false;
    if (!isNamed) showUnsent(error, () => { hideUnsent(); void transmit(); });
  }

  /** @param {{id: string, number: string}} answer */
  function showSent(answer) {
    const done = el('div', {class: 'sent-screen', role: 'status', tabindex: '-1'}, icon('circle-check'),
      el('p', null, t('sent.title')), el('strong', null, answer.number), el('p', {class: 'hint'}, t('sent.more')),
      el('a', {class: 'btn', href: `/worker/tasks/${data.id}`}, icon('eye'), t('sent.open')),
      el('a', {class: 'btn', href: '/worker/report'}, icon('camera-plus'), t('sent.again')),
      el('a', {class: 'btn btn-primary', href: '/worker/'}, icon('list-check'), t('sent.tasks')));
    form.replaceWith(done);
    done.focus();
    window.scrollTo(0, 0);
  }
}
