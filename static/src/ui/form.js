// A form from field specifications: checks before it sends, shows the server's answer
// beside the field it is about, and never sends twice at once.

import {ApiError} from '../lib/api.js';
import {append, el} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {errorText} from './errors.js';
import {createField, isBlank} from './field.js';

/**
 * @param {{fields: import('./field.js').FieldSpec[], submit: string, onSubmit: (values: Record<string, any>) => Promise<void>, onCancel?: () => void, onInput?: (values: Record<string, any>) => void, before?: HTMLElement | null}} options
 */
export function createForm({fields: specs, submit, onSubmit, onCancel, onInput, before = null}) {
  const fields = specs.map(createField);
  const problem = el('p', {class: 'form-error', role: 'alert', hidden: true});
  const send = el('button', {type: 'submit', class: 'btn btn-primary'}, submit);
  const form = el('form', {class: 'form', novalidate: true});
  const extra = fields.filter((_, place) => specs[place].isExtra);
  append(form, before, ...fields.filter(field => !extra.includes(field)).map(field => field.element),
    extra.length > 0 && el('details', {class: 'form-more', open: extra.some(field => !isBlank(field.value())) || null},
      el('summary', null, t('form.more', {n: extra.length})), ...extra.map(field => field.element)), problem,
    el('div', {class: 'form-actions'}, send,
      onCancel && el('button', {type: 'button', class: 'btn', onclick: onCancel}, t('action.cancel'))));

  const values = () => Object.fromEntries(fields.map(field => [field.name, field.value()]));

  /** Of fields that stand for one another, one has to be filled. @param {import('./field.js').Field} field */
  function groupProblem(field) {
    const names = specs.find(spec => spec.name === field.name)?.one_of;
    if (!names || names[0] !== field.name) return null;
    const group = fields.filter(other => names.includes(other.name));
    if (group.some(other => !isBlank(other.value()))) return null;
    const labels = specs.filter(spec => names.includes(spec.name)).map(spec => spec.label);
    return t('field.oneOf', {labels: labels.join(t('field.or'))});
  }

  function firstProblem() {
    let first = null;
    for (const field of fields) {
      const text = field.problem() ?? groupProblem(field);
      field.showProblem(text);
      if (text && !first) first = field;
    }
    first?.focus();
    return first;
  }

  /** @param {unknown} error */
  function showError(error) {
    const named = error instanceof ApiError ? error.errors : [];
    for (const {field: name, message} of named) fields.find(field => field.name === name)?.showProblem(message);
    problem.textContent = errorText(error);
    problem.hidden = false;
  }

  form.addEventListener('submit', async event => {
    event.preventDefault();
    if (send.disabled || firstProblem()) return;
    problem.hidden = true;
    send.disabled = true;
    send.textContent = t('action.sending');
    try {
      await onSubmit(values());
    } catch (error) {
      showError(error);
    } finally {
      send.disabled = false;
      send.textContent = submit;
    }
  });

  form.addEventListener('input', () => onInput?.(values()));
  form.addEventListener('keydown', event => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit(send);
  });

  /** Where the hand is needed next: the first field that must be filled and is not, else the button. */
  function focusNext() {
    const open = fields.find(field => field.problem() ?? groupProblem(field));
    if (open) open.focus();
    else send.focus();
  }

  return {
    element: form, focus: () => fields[0]?.focus(), focusNext, values,
    /** @param {string} name @param {string} value */
    set: (name, value) => fields.find(field => field.name === name)?.set?.(value),
    has: (/** @type {string} */ name) => fields.some(field => field.name === name),
    isSending: () => send.disabled,
  };
}
