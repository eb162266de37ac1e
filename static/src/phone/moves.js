// The forms of a case's next steps, enhanced: photos made small and sent first, the place
// of the phone added where a step wants it, the step sent under one id however often.

import {ApiError} from '../lib/api.js';
import {cityInstant} from '../lib/dates.js';
import {fill, el} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {distanceM, distanceText} from '../lib/units.js';
import {errorText} from '../ui/errors.js';
import {createNotes} from './fields.js';
import {isSecure, send} from './send.js';
import {createShots} from './shots.js';

/**
 * @typedef {{lon: number, lat: number, accuracy: number}} Here
 * @typedef {{case: {id: string, lon: number, lat: number}, most_photos?: number}} Data
 */

/** Further off than this a check on the spot is not on the spot; the worker may still send it. */
const FAR_M = 100;
/** What is no field of a move. */
const FRAME = new Set(['csrf_token', 'id', 'action', 'photos', 'lon', 'lat']);

/**
 * @param {HTMLFormElement} form
 * @param {Data} data
 * @param {{here?: () => Promise<Here>, onDone: (action: string) => void, onFailed?: (error: unknown, retry: () => void) => void}} options
 */
export function bindMove(form, data, {here, onDone, onFailed}) {
  const notes = createNotes(form);
  const summary = /** @type {HTMLElement} */ (form.querySelector('.form-error'));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button[type="submit"]'));
  const label = /** @type {HTMLElement} */ (button.querySelector('span'));
  const idle = label.textContent ?? '';
  const file = form.querySelector('input[type="file"]');
  const shots = file instanceof HTMLInputElement ? createShots({
    list: /** @type {HTMLElement} */ (form.querySelector('.shots')), drop: /** @type {HTMLElement} */ (file.closest('.photo-drop')), input: file,
    base: '/api/blobs', most: data.most_photos ?? 3,
    onChange: () => notes.show('photos'), onProblem: text => notes.show('photos', text),
  }) : null;
  /** @type {Here | null} */
  let at = null;

  /** Trying again must send the very same step: its time is that of the first try. */
  let claimedAt = '';

  const point = form.querySelector('[data-point]');
  /** Ask where we are when the form is opened, and say how far that is from the case. */
  async function measure() {
    if (!point || !here || at) return;
    const state = /** @type {HTMLElement} */ (point.querySelector('[data-point-state]'));
    state.textContent = t('place.locating');
    try {
      at = await here();
      const far = distanceM([at.lon, at.lat], [data.case.lon, data.case.lat]);
      const isFar = far > FAR_M + at.accuracy;
      state.textContent = t(isFar ? 'check.far' : 'check.near', {far: distanceText(far), m: Math.round(at.accuracy)});
      point.classList.toggle('tone-soon', isFar);
      /** @type {HTMLInputElement} */ (point.querySelector('[name="lon"]')).value = String(at.lon);
      /** @type {HTMLInputElement} */ (point.querySelector('[name="lat"]')).value = String(at.lat);
    } catch {
      state.textContent = t('check.unknown');
    }
  }
  const details = form.closest('details');
  if (!details || details.open) void measure();
  details?.addEventListener('toggle', () => { if (details.open) void measure(); });

  /** Names of which any number may be ticked. */
  const many = new Set([...form.querySelectorAll('[data-many]')].map(box => /** @type {HTMLInputElement} */ (box).name));

  /** Names of the fields of day and time: the city's clock is meant. */
  const instants = new Set([...form.querySelectorAll('input[type="datetime-local"]')].map(box => /** @type {HTMLInputElement} */ (box).name));

  function body() {
    /** @type {Record<string, any>} */
    const values = {};
    for (const [name, value] of new FormData(form)) {
      if (FRAME.has(name) || typeof value !== 'string' || !value.trim()) continue;
      if (many.has(name)) values[name] = [...(values[name] ?? []), value.trim()];
      else values[name] = instants.has(name) ? cityInstant(value) : value.trim();
    }
    if (!values.category) delete values.kind;
    claimedAt ||= new Date().toISOString();
    return {
      ...values, id: new FormData(form).get('id'), action: form.dataset.move, device_at: claimedAt,
      ...(at && point ? {lon: at.lon, lat: at.lat} : {}),
    };
  }

  async function transmit() {
    const move = body();
    button.disabled = true;
    summary.hidden = true;
    notes.clear();
    label.textContent = t('action.sending');
    try {
      await send({id: String(move.id), method: 'POST', url: `/api/incidents/${data.case.id}/moves`, body: move, photos: async () => (shots ? shots.send() : [])});
      onDone(String(move.action));
    } catch (error) {
      button.disabled = false;
      label.textContent = idle;
      refused(error);
    }
  }

  /** @param {unknown} error */
  function refused(error) {
    const named = error instanceof ApiError ? Object.fromEntries(error.errors.map(({field, message}) => [field.split('|').find(name => form.querySelector(`[data-field="${name}"]`)) ?? field, message])) : {};
    const rest = notes.showAll(named);
    const isNamed = Object.keys(named).length > rest.length;
    if (!isNamed) {
      fill(summary, el('strong', null, t('send.failed')), ' ', errorText(error));
      summary.hidden = false;
      onFailed?.(error, () => void transmit());
    }
  }

  form.addEventListener('submit', event => {
    if (!isSecure()) {
      if (shots && file instanceof HTMLInputElement) {
        const lent = new DataTransfer();
        for (const photo of shots.files()) lent.items.add(photo);
        file.files = lent.files;
      }
      return;
    }
    event.preventDefault();
    if (button.disabled || shots?.isBusy()) return;
    if (shots && file instanceof HTMLInputElement && file.required && !shots.count()) {
      notes.showAll({photos: t('problem.photos')});
      return;
    }
    void transmit();
  });
}
