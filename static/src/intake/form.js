// One call after the other: look up as one types, send once, tell the caller, begin anew.

import {ApiError, getJson, sendJson, retrying, urlOf} from '../lib/api.js';
import {el, fill, find} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {newUuid} from '../lib/uuid.js';
import {createNotes} from '../phone/fields.js';
import {createPlace} from '../phone/place.js';
import {isSecure} from '../phone/send.js';
import {createShots} from '../phone/shots.js';
import {errorText} from '../ui/errors.js';
import {createCombo} from '../ui/combo.js';
import {bindQuestions} from '../ui/questions.js';
import {createDraft} from './draft.js';
import {createPiece} from './pieces.js';

/** @typedef {{value: string, code: string, name: string, of: string, kind: string}} Category */
/** @typedef {{name: string, detail: string | null, kind: string, lon: number | null, lat: number | null}} Hit */
/** @typedef {{city: {bounds: [number, number, number, number], attribution?: string, zone: string}, most_photos: number}} Data */

const KINDS = ['call', 'note', 'media'];
const FEWEST_DIGITS = 5;

const input = (/** @type {string} */ selector) => /** @type {HTMLInputElement} */ (find(selector));

/** @param {HTMLFormElement} form @param {Data} data */
export function startIntake(form, data) {
  const notes = createNotes(form);
  const draft = createDraft(form);
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  const select = /** @type {HTMLSelectElement} */ (find('#category'));
  const errors = find('#errors');
  const state = find('#state');
  const save = input('#save');
  const phone = input('#phone');
  const address = input('#address');
  const history = createPiece('history');
  const limits = createPiece('limits');
  const around = createPiece('around');
  const csrf = field('csrf_token').value;
  let isBusy = false;
  let proposed = '';

  // -- kinds of the form ----------------------------------------------------------------

  /** @param {string} kind */
  function choose(kind) {
    field('kind').value = form.dataset.kind = kind;
    for (const part of form.querySelectorAll('[data-of]')) /** @type {HTMLElement} */ (part).hidden = part.getAttribute('data-of') !== kind;
    for (const link of document.querySelectorAll('.kinds [data-kind]')) {
      if (link.getAttribute('data-kind') === kind) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
    if (kind === 'note') /** @type {HTMLDetailsElement} */ (find('.photos-block')).open = true;
  }
  const focusFirst = () => /** @type {HTMLElement | null} */ (form.querySelector(`[data-of="${form.dataset.kind}"] input`))?.focus();
  for (const link of document.querySelectorAll('.kinds [data-kind]')) {
    link.addEventListener('click', event => { event.preventDefault(); choose(link.getAttribute('data-kind') ?? 'call'); draft.save(); focusFirst(); });
  }

  // -- who rings ------------------------------------------------------------------------

  const digits = () => phone.value.replace(/\D/g, '');
  function lookUp() {
    if (digits().length < FEWEST_DIGITS) { history.clear(); return; }
    // In the body: an address would stand in logs.
    void history.load(digits(), () => ['/command/intake/caller', {method: 'POST', headers: {'Content-Type': 'application/json', 'X-CSRF-Token': csrf}, body: JSON.stringify({phone: phone.value})}]);
  }
  phone.addEventListener('change', lookUp);

  // -- what it is -----------------------------------------------------------------------

  const host = find('#category-picker');
  const words = el('input', {class: 'input', id: 'category-words', 'aria-labelledby': 'category-label', 'aria-describedby': 'category-error', placeholder: t('intake.category')});
  host.append(words);
  host.hidden = false;
  select.hidden = true;
  find('#category-label').setAttribute('for', 'category-words');
  const questions = bindQuestions(form);
  const picker = createCombo(host, words, {
    find: text => getJson(urlOf('/command/intake/categories', {q: text})),
    show: (/** @type {Category} */ item) => [el('b', null, item.name), el('span', {class: 'muted small'}, item.code), el('span', {class: 'muted small'}, `${item.kind} · ${item.of}`)],
    onPick: item => { take(item.value); find('#text').focus(); },
    none: t('category.none'), label: t('intake.category'), isEager: true,
  });

  /** @param {string} value */
  function take(value) {
    select.value = value;
    words.value = value ? select.selectedOptions[0]?.textContent ?? '' : '';
    notes.show('category');
    const [kind, code] = value.split(':');
    if (value) void limits.load(value, () => [urlOf('/command/intake/category', {value})]);
    else limits.clear();
    void questions.show(code ?? '', kind || 'matter');
    lookAround();
    draft.save();
  }
  words.addEventListener('change', () => { if (!words.value.trim()) take(''); });
  words.addEventListener('blur', () => { words.value = select.value ? select.selectedOptions[0]?.textContent ?? '' : words.value; });
  for (const chip of form.querySelectorAll('[data-pick]')) chip.addEventListener('click', () => { take(chip.getAttribute('data-pick') ?? ''); find('#text').focus(); });

  // -- where it is ----------------------------------------------------------------------

  const place = createPlace({host: find('#place-map'), city: data.city, onChange: at => {
    field('lon').value = String(at.lon);
    field('lat').value = String(at.lat);
    field('coord_source').value = at.accuracy === 0 ? 'derived' : 'map_click';
    notes.show('place');
    lookAround();
    draft.save();
  }});
  place.show();

  function lookAround() {
    const at = place.get();
    if (!at) return;
    const query = {lon: at.lon.toFixed(6), lat: at.lat.toFixed(6), category: select.value};
    void around.load(JSON.stringify(query), () => [urlOf('/command/intake/place', query)]).then(piece => {
      const named = piece?.dataset.address;
      // What a person wrote is never replaced; the door plate that we wrote ourselves is.
      if (named && (!address.value.trim() || address.value === proposed)) { address.value = proposed = named; draft.save(); }
    });
  }
  createCombo(find('#address-picker'), address, {
    find: async text => {
      const groups = await getJson(urlOf('/api/desk/search', {q: text}));
      return groups.flatMap((/** @type {{type: string, items: Hit[]}} */ group) => group.items).filter((/** @type {Hit} */ hit) => hit.lon !== null && hit.kind !== 'incident');
    },
    show: (/** @type {Hit} */ hit) => [el('b', null, hit.name), el('span', {class: 'muted small'}, t(`hit.${hit.kind}`)), hit.detail && el('span', {class: 'muted small'}, hit.detail)],
    onPick: hit => {
      // Coordinates are no address: the nearest door plate is.
      address.value = proposed = hit.kind === 'coordinate' ? '' : hit.name;
      place.set({lon: Number(hit.lon), lat: Number(hit.lat), accuracy: 0, source: 'map_click'});
    },
    none: t('intake.no_place'), label: t('intake.address'), isEager: true,
  });

  // -- photos and scans -----------------------------------------------------------------

  const shots = createShots({list: find('#shots'), drop: find('#photo-drop'), input: input('#photos'), base: '/api/blobs', most: data.most_photos,
    onChange: () => notes.show('photos'), onProblem: text => notes.show('photos', text)});

  // -- sending --------------------------------------------------------------------------

  /** @param {string} text @param {boolean} busy */
  function show(text, busy) {
    isBusy = busy;
    save.disabled = busy;
    form.setAttribute('aria-busy', String(busy));
    state.textContent = text;
  }

  function lend() {
    const lent = new DataTransfer();
    for (const file of shots.files()) lent.items.add(file);
    input('#photos').files = lent.files;
  }

  form.addEventListener('submit', event => {
    if (!isSecure()) { lend(); return; }
    event.preventDefault();
    if (!isBusy && !shots.isBusy()) void send();
  });

  async function send() {
    errors.hidden = true;
    notes.clear();
    show(t('intake.sending'), true);
    try {
      const body = Object.fromEntries([...new FormData(form)].filter(([name, value]) => typeof value === 'string' && name !== 'csrf_token'));
      const photos = await shots.send();
      // The id was made before the first try: sent again it is the same call.
      const answer = await retrying(() => sendJson('POST', '/command/intake', {...body, photos}));
      draft.forget();
      begin(answer.next_id);
      tell(answer.html);
      show('', false);
    } catch (error) {
      refused(error);
    }
  }

  /** @param {string} html */
  function tell(html) {
    const told = new DOMParser().parseFromString(html, 'text/html').getElementById('told');
    if (told) fill(find('#told-place'), document.adoptNode(told));
    window.scrollTo({top: 0});
  }

  /** @param {unknown} error */
  function refused(error) {
    const named = error instanceof ApiError ? Object.fromEntries(error.errors.map(({field: name, message}) => [name, message])) : {};
    const rest = notes.showAll(named);
    const isNamed = Object.keys(named).length > rest.length;
    if (named.category) words.focus();
    const isAway = error instanceof ApiError && error.isTemporary;
    fill(errors, el('strong', null, t('intake.failed')), ' ', isNamed ? [t('intake.look'), ...rest].join(' ') : errorText(error), ' ', isAway && t('intake.kept'));
    errors.hidden = false;
    show(isAway ? t('intake.kept') : '', false);
    if (isAway) window.addEventListener('online', () => { if (!isBusy) void send(); }, {once: true});
  }

  /** Clear everything for the next call; the kind of the form stays. @param {string} [id] */
  function begin(id = newUuid()) {
    const kind = form.dataset.kind ?? 'call';
    const today = {note_on: field('note_on').defaultValue, news_on: field('news_on').defaultValue};
    for (const control of form.querySelectorAll('input:not([type="hidden"]), textarea, select')) {
      if (control instanceof HTMLInputElement && control.type === 'radio') control.checked = control.name === 'grade' ? control.value === 'key' : !control.value;
      else if (control instanceof HTMLInputElement && control.type === 'checkbox') control.checked = false;
      else if (control instanceof HTMLInputElement || control instanceof HTMLTextAreaElement || control instanceof HTMLSelectElement) control.value = '';
    }
    for (const [name, value] of Object.entries(today)) field(name).value = value;
    field('id').value = id;
    for (const name of ['lon', 'lat', 'coord_source']) field(name).value = '';
    proposed = '';
    notes.clear();
    shots.clear();
    place.forget();
    history.clear();
    around.clear();
    take('');
    errors.hidden = true;
    choose(kind);
    draft.forget();
    focusFirst();
  }
  find('#fresh').addEventListener('click', () => { begin(); state.textContent = t('intake.cleared'); });

  // -- keys -----------------------------------------------------------------------------

  document.addEventListener('keydown', event => {
    if (event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && event.key === 'Enter') { event.preventDefault(); picker.close(); form.requestSubmit(save); }
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const kind = KINDS[Number(event.code.replace('Digit', '')) - 1];
    if (kind) { event.preventDefault(); choose(kind); draft.save(); focusFirst(); }
    if (event.code === 'KeyN') { event.preventDefault(); begin(); }
  });
  form.addEventListener('keydown', event => {
    // A stray Enter in a line never sends half a call.
    if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey && event.target instanceof HTMLInputElement && event.target.type !== 'checkbox') event.preventDefault();
  });

  // -- what was left in this tab ---------------------------------------------------------

  const isShownAgain = Boolean(form.querySelector('.field-invalid'));
  const kept = isShownAgain ? {} : draft.restore();
  if (kept.kind) choose(kept.kind);
  if (select.value) {
    const given = {...kept};
    take(select.value);
    words.value = select.selectedOptions[0]?.textContent ?? '';
    questions.keep(given);
  }
  if (field('lon').value && field('lat').value) {
    proposed = address.value;
    place.set({lon: Number(field('lon').value), lat: Number(field('lat').value), accuracy: field('coord_source').value === 'derived' ? 0 : null, source: 'map_click'});
  }
  if (phone.value) lookUp();
  // Who mends a field is not told any longer that it is wrong.
  form.addEventListener('input', event => { if (event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement) notes.show(event.target.name); });
  form.addEventListener('input', draft.save);
  form.addEventListener('change', draft.save);
}
