// A form from field specifications: checks before it sends, shows the server's answer
// beside the field it is about, and never sends twice at once.

import {ApiError} from '../lib/api.js';
import {append, el} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {errorText} from './errors.js';
import {createField, isBlank} from './field.js';

/**
 * @param {{fields: import('./field.js').FieldSpec[], submit: string, onSubmit: (values: Record<string, any>) => Promise<void>, onCancel?: () => void}} options
 */
export function createForm({fields: specs, submit, onSubmit, onCancel}) {
  const fields = specs.map(createField);
  const problem = el('p', {class: 'form-error', role: 'alert', hidden: true});
  const send = el('button', {type: 'submit', class: 'btn btn-primary'}, submit);
  const form = el('form', {class: 'form', novalidate: true});
  append(form, ...fields.map(field => field.element), problem,
    el('div', {class: 'form-actions'}, send,
      onCancel && el('button', {type: 'button', class: 'btn', onclick: onCancel}, t('action.cancel'))));

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
      await onSubmit(Object.fromEntries(fields.map(field => [field.name, field.value()])));
    } catch (error) {
      showError(error);
    } finally {
      send.disabled = false;
      send.textContent = submit;
    }
  });

  return {element: form, focus: () => fields[0]?.focus()};
}
