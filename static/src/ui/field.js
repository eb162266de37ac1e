// Form fields made from specifications that the server sends with an action:
// {"name", "kind", "label", "required", "options": [{"value", "label"}], "hint", "max"}.
// Kinds: text, textarea, choice, choices, date, datetime, instant, number, photos, boolean.

import {cityInstant} from '../lib/dates.js';
import {el, uid} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {sizeText} from '../lib/units.js';
import {icon} from './icon.js';

/**
 * @typedef {{name: string, kind: string, label: string, required?: boolean, hint?: string, max?: number, one_of?: string[] | false | null,
 *   options?: {value: string, label: string, hint?: string}[], value?: any, isExtra?: boolean}} FieldSpec  isExtra: folded away until somebody wants it
 * @typedef {{element: HTMLElement, name: string, value: () => any, problem: () => string | null, showProblem: (text: string | null) => void, focus: () => void, set?: (value: string) => void}} Field
 */

const PHOTO_LIMIT = 5;
const PHOTO_BYTES = 15 * 1024 * 1024;

/** @param {any} value */
export const isBlank = value => value === null || value === '' || (Array.isArray(value) && !value.length);

/** A day and time of the city's clock. @param {FieldSpec} spec */
const isInstant = spec => spec.kind === 'datetime' || spec.kind === 'instant';

/** @param {FieldSpec} spec @returns {Field} */
export function createField(spec) {
  if (spec.kind === 'photos') return photosField(spec);
  if (spec.kind === 'choices') return choicesField(spec);
  const id = uid('field');
  const control = controlOf(spec, id);
  const read = () => {
    if (control instanceof HTMLInputElement && control.type === 'checkbox') return control.checked;
    const text = control.value.trim();
    if (!text) return null;
    if (spec.kind === 'number') return Number(text);
    return isInstant(spec) ? cityInstant(text) : text;
  };
  const set = (/** @type {string} */ value) => {
    control.value = value;
    control.dispatchEvent(new Event('input', {bubbles: true}));
  };
  return {...framed(spec, id, control, {value: read, focus: () => control.focus()}), set};
}

/** @param {FieldSpec} spec @param {string} id */
function controlOf(spec, id) {
  const common = {id, name: spec.name, 'aria-required': spec.required ? 'true' : null, value: spec.value ?? ''};
  if (spec.kind === 'choice') {
    return el('select', {...common, class: 'input'},
      el('option', {value: ''}, t('field.choose')),
      ...(spec.options ?? []).map(option => el('option', {value: option.value, selected: option.value === spec.value}, option.label)));
  }
  if (spec.kind === 'textarea') return el('textarea', {...common, class: 'input', rows: 3, maxlength: spec.max ?? 2000});
  if (spec.kind === 'boolean') return el('input', {id, name: spec.name, type: 'checkbox', checked: Boolean(spec.value)});
  const type = {date: 'date', datetime: 'datetime-local', instant: 'datetime-local', number: 'number'}[spec.kind] ?? 'text';
  return el('input', {...common, class: 'input', type, maxlength: type === 'text' ? spec.max ?? 500 : null, autocomplete: 'off'});
}

/**
 * @param {FieldSpec} spec
 * @param {string} id
 * @param {HTMLElement} control
 * @param {{value: () => any, focus: () => void}} parts
 * @returns {Field}
 */
function framed(spec, id, control, {value, focus}) {
  const error = el('p', {class: 'field-error', id: `${id}-error`, hidden: true});
  const element = el('div', {class: 'field'},
    el('label', {for: id, class: 'field-label'}, spec.label,
      el('span', {class: 'field-mark'}, t(spec.required ? 'field.required' : spec.one_of ? 'field.eitherOr' : 'field.optional'))),
    control,
    spec.hint && el('p', {class: 'muted small'}, spec.hint),
    error);
  function showProblem(/** @type {string | null} */ text) {
    error.hidden = !text;
    error.textContent = text ?? '';
    if (text) control.setAttribute('aria-invalid', 'true');
    else control.removeAttribute('aria-invalid');
    control.setAttribute('aria-describedby', error.id);
  }
  const problem = () => (spec.required && isBlank(value()) ? t('field.missing', {label: spec.label}) : null);
  return {element, name: spec.name, value, problem, showProblem, focus};
}

/** Several of a list. @param {FieldSpec} spec @returns {Field} */
function choicesField(spec) {
  const id = uid('field');
  const boxes = (spec.options ?? []).map(option => ({option, box: el('input', {type: 'checkbox', checked: spec.value?.includes(option.value)})}));
  const list = el('div', {class: 'choices', id, role: 'group', 'aria-label': spec.label, tabindex: '-1'},
    ...boxes.map(({option, box}) => el('label', {class: 'choices-item'}, box, option.label)));
  return framed(spec, id, list, {
    value: () => boxes.filter(({box}) => box.checked).map(({option}) => option.value),
    focus: () => boxes[0]?.box.focus(),
  });
}

/** @param {FieldSpec} spec @returns {Field} */
function photosField(spec) {
  const id = uid('field');
  /** @type {File[]} */
  let files = [];
  const limit = spec.max ?? PHOTO_LIMIT;
  const shelf = el('div', {class: 'photo-shelf'});
  const input = el('input', {id, type: 'file', accept: 'image/*', multiple: true, class: 'visually-hidden'});
  const add = el('label', {class: 'photo-add', for: id}, icon('camera-plus'), el('span', null, t('field.photos')));
  input.addEventListener('change', () => {
    files = [...files, ...(input.files ?? [])].filter(file => file.size <= PHOTO_BYTES).slice(0, limit);
    input.value = '';
    draw();
  });
  function draw() {
    shelf.replaceChildren(...files.map(thumb), add);
    add.hidden = files.length >= limit;
  }
  const thumb = (/** @type {File} */ file) => {
    const url = URL.createObjectURL(file);
    const image = el('img', {src: url, alt: file.name});
    image.addEventListener('load', () => URL.revokeObjectURL(url));
    return el('span', {class: 'photo-thumb'}, image,
      el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('action.remove'),
        onclick: () => { files = files.filter(other => other !== file); draw(); }}, icon('x')));
  };
  draw();
  const wrapped = el('div', null, input, shelf);
  return framed({...spec, hint: spec.hint ?? t('field.photos.hint', {size: sizeText(PHOTO_BYTES), n: limit})}, id, wrapped,
    {value: () => files, focus: () => input.focus()});
}
