// The server says what a move asks for; choices that are long (departments, categories,
// workers) it leaves to be fetched. "a|b" asks for one of the two.

import {getJson, urlOf} from '../lib/api.js';
import {hasText, t} from '../lib/i18n.js';

/** @typedef {import('../ui/field.js').FieldSpec} FieldSpec */

/** @type {Record<string, string>} */
const SOURCES = {department: '/api/departments', departments: '/api/departments', category: '/api/categories'};

/** @type {Record<string, string>} */
const KINDS = {text: 'textarea', department: 'choice', departments: 'choices', category: 'choice', account: 'choice', worker: 'choice', instant: 'datetime', level: 'choice', case: 'text', outside: 'text'};

/** Make form fields of what an action requires. @param {any[]} required @param {string} [kind]  matter or component @returns {Promise<FieldSpec[]>} */
export async function completeFields(required, kind = 'matter') {
  // A point is taken on the spot, by a phone: a desk has none to give.
  const asked = required.filter(spec => spec.kind !== 'point');
  return Promise.all(asked.map(spec => fieldOf(spec, kind)));
}

/** @param {any} spec @param {string} kind @returns {Promise<FieldSpec>} */
async function fieldOf(spec, kind) {
  const label = spec.label ?? spec.title ?? (hasText(`field.${spec.name}`) ? t(`field.${spec.name}`) : spec.name);
  const source = SOURCES[spec.kind];
  const options = spec.options?.length ? spec.options.map(optionOf) : source ? await choices(spec.kind === 'category' ? urlOf(source, {kind}) : source) : [];
  return {...spec, label, options, kind: KINDS[spec.kind] ?? spec.kind};
}

/** @param {any} option @returns {{value: string, label: string}} */
function optionOf(option) {
  if (typeof option === 'string') return {value: option, label: hasText(`option.${option}`) ? t(`option.${option}`) : option};
  const value = String(option.value ?? option.code ?? option.id);
  return {value, label: String(option.label ?? option.name ?? value)};
}

/** @param {string} url */
async function choices(url) {
  const answer = await getJson(url);
  return (Array.isArray(answer) ? answer : answer.items ?? []).map(optionOf);
}
