// One sheet for all lines: a question once, what still holds shown and not asked, one tap where
// nothing has changed. What was answered is kept on the phone, sealed, before anything is sent.

import {el, fill, find} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {newUuid} from '../lib/uuid.js';
import {applies, needed, standing, wrong} from '../offline/asking.js';
import {PhotoError, shrink} from '../phone/photo.js';
import {errorText} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {here} from './here.js';

const SAVE_MS = 300;
const USED = 'flow.other_content';

/** @typedef {import('../offline/asking.js').Item} Item */
/** @typedef {{id: string, answers: Record<string, any>, same: string[], seconds: number, taps: number, timings: Record<string, number>}} Draft */

/**
 * @param {HTMLElement} form
 * @param {{subject: string, id: number, name: string, forms: {version: number, name: string}[], items: Item[], asked: number, reused: number, apart: number, seconds: number}} sheet
 * @param {import('./offline.js').Phone} phone
 * @param {ReturnType<typeof import('./waiting.js').watchWaiting>} waiting
 */
export async function startSheet(form, sheet, phone, waiting) {
  const draftId = `draft-${phone.vault.account}-${sheet.subject}-${sheet.id}`;
  /** @type {Draft} */
  let draft = {id: newUuid(), answers: {}, same: [], seconds: 0, taps: 0, timings: {}};
  /** @type {Map<string, import('../offline/vault.js').Shot>} */
  const shots = new Map();
  const items = new Map(sheet.items.map(item => [item.key, item]));
  /** @type {Map<string, {box: HTMLElement, note: HTMLElement, body: HTMLElement}>} */
  const places = new Map();
  let opened = Date.now();
  let last = Date.now();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Record<string, string>} */
  const notes = {};
  const again = new URLSearchParams(location.search).get('again');

  /** What was begun before goes on; what was refused is opened with its reasons. */
  async function restore() {
    const kept = again ? await phone.outbox.get(again) : await phone.vault.get(draftId);
    if (!kept) return;
    const known = (/** @type {Record<string, any>} */ values) => Object.fromEntries(Object.entries(values).filter(([key]) => items.has(key)));
    if (again) {
      const isUsed = kept.problem?.code === USED;
      draft = {...draft, id: isUsed ? newUuid() : kept.id, answers: known(kept.body.answers), same: kept.body.confirmed.filter((/** @type {string} */ key) => items.has(key)), seconds: kept.body.seconds ?? 0, taps: kept.body.taps ?? 0};
      for (const {field, message} of kept.problem?.errors ?? []) notes[field] = message;
    } else {
      draft = {...draft, ...kept.body, answers: known(kept.body.answers)};
    }
    for (const shot of kept.shots) if (items.has(shot.key)) shots.set(shot.key, shot);
  }

  function save() {
    clearTimeout(timer);
    timer = setTimeout(() => void phone.vault.put({id: draftId, kind: 'draft', at: new Date().toISOString()}, {...draft, seconds: spent()}, [...shots.values()]), SAVE_MS);
  }

  const spent = () => draft.seconds + Math.round((Date.now() - opened) / 1000);

  /** @param {string} key */
  function touch(key) {
    draft.timings[key] = (draft.timings[key] ?? 0) + (Date.now() - last) / 1000;
    last = Date.now();
    delete notes[key];
    save();
    refresh();
  }

  /** @param {string} key @param {any} value */
  function answer(key, value) {
    draft.same = draft.same.filter(one => one !== key);
    if (value === '' || value === null || (Array.isArray(value) && !value.length)) delete draft.answers[key];
    else draft.answers[key] = value;
    touch(key);
  }

  /** @param {string} key @param {boolean} isSame */
  function confirm(key, isSame) {
    draft.same = isSame ? [...new Set([...draft.same, key])] : draft.same.filter(one => one !== key);
    if (isSame) delete draft.answers[key];
    touch(key);
    drawItem(/** @type {Item} */ (items.get(key)));
  }

  /** Answers and what is still so, as the server will see them. */
  const given = () => ({...Object.fromEntries(draft.same.map(key => [key, items.get(key)?.last?.value])), ...draft.answers});

  /** @param {Item} item */
  const wantsPhoto = item => item.type === 'choice' && item.options.some(one => one.photo && one.code === draft.answers[item.key]);

  function draw() {
    const known = sheet.items.filter(item => item.known);
    fill(form,
      el('section', {class: 'block visit-burden'},
        el('p', null, el('strong', null, sheet.forms.map(one => one.name).join(t('list.comma')))),
        el('p', {class: 'hint', id: 'burden'})),
      el('div', {class: 'form-error', role: 'alert', id: 'errors', hidden: true}),
      sheet.items.filter(item => !item.known).map(place),
      known.length > 0 && el('details', {class: 'block tick-list visit-known'},
        el('summary', null, icon('checks'), el('strong', null, t('sheet.known', {n: known.length})), icon('chevron-down')),
        el('p', {class: 'hint'}, t('sheet.known_more')), known.map(place)),
      el('div', {class: 'send'}, el('button', {class: 'btn btn-primary btn-big', id: 'send', type: 'submit'}, icon('send'), el('span', null, t('sheet.finish')))));
    for (const item of sheet.items) drawItem(item);
    refresh();
    if (Object.keys(notes).length) showNotes(notes);
  }

  /** @param {Item} item */
  function place(item) {
    const note = el('p', {class: 'field-error', hidden: true, id: `note-${item.key}`});
    const body = el('div', {class: 'visit-body'});
    const box = el('fieldset', {class: 'block', data: {field: item.key}},
      el('legend', {class: 'visit-text'}, item.text, item.optional && el('span', {class: 'hint'}, ` ${t('sheet.optional')}`)),
      item.hint && el('p', {class: 'hint'}, item.hint), body, note);
    places.set(item.key, {box, note, body});
    return box;
  }

  /** @param {Item} item */
  function drawItem(item) {
    const at = places.get(item.key);
    if (!at) return;
    const isSame = draft.same.includes(item.key);
    fill(at.body,
      item.last && el('button', {type: 'button', class: 'btn still-so', 'aria-pressed': String(isSame), onclick: () => confirm(item.key, !isSame)},
        icon(isSame ? 'circle-check-filled' : 'circle-check'), el('span', null, el('strong', null, t('sheet.still_so')), ' ', item.last.words || '–', el('span', {class: 'hint'}, t('sheet.last', {on: item.last.on, by: item.last.by})))),
      control(item),
      el('div', {class: 'visit-shot', data: {shot: item.key}}));
    drawShot(item);
  }

  /** @param {Item} item */
  function control(item) {
    const {key} = item;
    const value = draft.answers[key];
    if (item.type === 'choice' || item.type === 'many') {
      const isMany = item.type === 'many';
      return el('div', {class: 'choices', role: isMany ? 'group' : 'radiogroup', 'aria-label': item.text}, item.options.map(option => {
        const box = el('input', {type: isMany ? 'checkbox' : 'radio', name: `a.${key}`, value: option.code, checked: isMany ? (value ?? []).includes(option.code) : value === option.code});
        box.addEventListener('change', () => {
          const wasSame = draft.same.includes(key);
          answer(key, isMany ? item.options.map(one => one.code).filter(code => (code === option.code ? box.checked : (draft.answers[key] ?? []).includes(code))) : option.code);
          if (wasSame) drawItem(item);
          drawShot(item);
        });
        return el('label', {class: 'choice'}, box, el('span', null, option.text));
      }));
    }
    if (item.type === 'photo') return null;
    if (item.type === 'place') {
      return el('div', {class: 'visit-typed'},
        el('button', {type: 'button', class: 'btn', onclick: () => void here({fresh: true}).then(at => { answer(key, [at.lon, at.lat]); drawItem(item); }, () => showNotes({[key]: t('place.unavailable')}))}, icon('current-location'), t('place.locate')),
        value && el('span', {class: 'muted'}, `${value[0].toFixed(5)}, ${value[1].toFixed(5)}`));
    }
    const input = el('input', {class: 'input', type: item.type === 'date' ? 'date' : 'text', inputmode: item.type === 'number' ? 'decimal' : null, value: value ?? '', maxlength: '500', placeholder: item.example, 'aria-label': item.text, name: `a.${key}`});
    input.addEventListener('input', () => answer(key, input.value.trim()));
    return el('div', {class: 'visit-typed'}, input, item.unit && el('span', {class: 'muted'}, item.unit));
  }

  /** @param {Item} item */
  function drawShot(item) {
    const host = form.querySelector(`[data-shot="${CSS.escape(item.key)}"]`);
    if (!(host instanceof HTMLElement)) return;
    const shot = shots.get(item.key);
    if (item.type !== 'photo' && !wantsPhoto(item)) { fill(host); return; }
    const input = el('input', {class: 'over', type: 'file', accept: 'image/*', capture: 'environment', 'aria-label': t('sheet.photo_of', {name: item.text})});
    input.addEventListener('change', async () => {
      const [file] = input.files ?? [];
      if (!file) return;
      try {
        const small = await shrink(file);
        shots.set(item.key, {key: item.key, type: small.type, bytes: await small.arrayBuffer()});
        touch(item.key);
        drawShot(item);
      } catch (error) {
        showNotes({[item.key]: t(`photo.${error instanceof PhotoError ? error.code : 'unreadable'}`, {name: file.name, size: '15 MB'})});
      }
    });
    const picture = shot && el('img', {src: URL.createObjectURL(new Blob([shot.bytes], {type: shot.type})), alt: t('sheet.photo_of', {name: item.text})});
    fill(host, picture, el('label', {class: ['photo-drop', shot && 'is-small']}, icon('camera'), el('strong', null, t(shot ? 'sheet.photo_again' : 'sheet.photo')), input));
  }

  /** Hide what does not apply, and say how much is left. */
  function refresh() {
    const values = standing(sheet.items, given());
    for (const item of sheet.items) {
      const at = places.get(item.key);
      if (at) at.box.hidden = !applies(item, values);
    }
    const left = open().length;
    fill(find('#burden', form), t('sheet.burden', {asked: sheet.asked, reused: sheet.reused, apart: sheet.apart}), ' ', el('strong', null, left ? t('sheet.left', {n: left}) : t('sheet.all_done')));
  }

  /** Questions that still need an answer or a photo. */
  function open() {
    const values = given();
    return needed(sheet.items, values).filter(item => !item.optional && (item.type === 'photo' ? !shots.has(item.key) && !draft.same.includes(item.key) : !(item.key in values)));
  }

  /** @param {Record<string, string>} problems */
  function showNotes(problems) {
    for (const [key, {box, note}] of places) {
      note.hidden = !problems[key];
      note.textContent = problems[key] ?? '';
      box.classList.toggle('field-invalid', Boolean(problems[key]));
    }
    const first = form.querySelector('.field-invalid');
    first?.closest('details')?.setAttribute('open', '');
    first?.scrollIntoView({block: 'center'});
    const inside = first?.querySelector('input, button');
    if (inside instanceof HTMLElement) inside.focus({preventScroll: true});
  }

  /** The same checks as the server's, before a visit is kept. */
  function problems() {
    /** @type {Record<string, string>} */
    const found = Object.fromEntries(open().map(item => [item.key, t(item.type === 'photo' ? 'problem.photos' : 'sheet.missing')]));
    for (const [key, value] of Object.entries(draft.answers)) {
      const item = /** @type {Item} */ (items.get(key));
      const why = wrong(item, value);
      if (why) found[key] = t(`sheet.wrong_${why}`, {min: item.checks.min ?? 0, max: item.checks.max ?? 1e9, most: item.checks.most ?? 500});
      else if (wantsPhoto(item) && !shots.has(key)) found[key] = t('sheet.photo_needed');
    }
    return found;
  }

  form.addEventListener('submit', event => {
    event.preventDefault();
    const found = problems();
    showNotes(found);
    if (!Object.keys(found).length) void finish();
  });

  async function finish() {
    const button = /** @type {HTMLButtonElement} */ (find('#send', form));
    button.disabled = true;
    const values = standing(sheet.items, given());
    const kept = [...items.values()].filter(item => applies(item, values)).map(item => item.key);
    const answers = Object.fromEntries(Object.entries(draft.answers).filter(([key]) => kept.includes(key)));
    const taken = [...shots.values()].filter(shot => kept.includes(shot.key) && (items.get(shot.key)?.type === 'photo' || wantsPhoto(/** @type {Item} */ (items.get(shot.key)))));
    const body = {
      subject: sheet.subject, subject_id: sheet.id, versions: sheet.forms.map(one => one.version), answers,
      confirmed: draft.same.filter(key => kept.includes(key)), done_at: new Date().toISOString(),
      seconds: Math.min(spent(), 86_400), taps: draft.taps,
      timings: Object.fromEntries(Object.entries(draft.timings).map(([key, s]) => [key, Math.min(s, 86_400)])),
      photo_answers: sheet.items.filter(item => item.type === 'photo').map(item => item.key),
    };
    try {
      await phone.outbox.add(draft.id, {name: sheet.name, href: `/worker/visits/${sheet.subject}/${sheet.id}`}, body, taken);
    } catch (error) {
      button.disabled = false;
      const line = find('#errors', form);
      fill(line, t('sheet.not_kept'), ' ', errorText(error));
      line.hidden = false;
      return;
    }
    clearTimeout(timer);
    await phone.vault.remove(draftId);
    if (again && again !== draft.id) await phone.outbox.remove(again);
    const id = draft.id;
    const done = el('div', {class: 'sent-screen', role: 'status', tabindex: '-1', id: 'visit-done'});
    form.replaceWith(done);
    drawDone(done, 'kept');
    const result = await waiting.send();
    const sent = result.sent.find(one => one.id === id);
    drawDone(done, sent ? 'received' : (await phone.outbox.list()).some(one => one.id === id && one.problem) ? 'refused' : 'kept', sent?.answer);
  }

  /** @param {HTMLElement} host @param {'kept' | 'received' | 'refused'} state @param {{asked: number, reused: number, hazards: string[]}} [answer] */
  function drawDone(host, state, answer) {
    host.dataset.state = state;
    fill(host, icon({kept: 'device-mobile', received: 'circle-check', refused: 'alert-triangle'}[state]),
      el('strong', null, t(`sheet.${state}`)), el('p', {class: 'hint'}, t(`sheet.${state}_more`, {asked: answer?.asked ?? 0, reused: answer?.reused ?? 0})),
      answer && answer.hazards.length > 0 && el('p', null, t('sheet.hazards', {n: answer.hazards.length})),
      el('a', {class: 'btn btn-primary', href: '/worker/visits'}, icon('list-check'), t('sheet.next')));
    host.focus();
    window.scrollTo(0, 0);
  }

  await restore();
  draw();
  document.addEventListener('click', event => { if (event.isTrusted && form.contains(/** @type {Node} */ (event.target))) draft.taps += 1; }, true);
  opened = Date.now();
  last = opened;
}
