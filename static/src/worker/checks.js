// Questions to the spot: an answer is kept on the phone, sealed, before it is sent, and the card
// goes. Without a network the cards of the package are drawn here.

import {el, fill, find} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {newUuid} from '../lib/uuid.js';
import {errorText} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {here} from './here.js';

/** @typedef {{value: string, words: string, sources: string}} Candidate */
/** @typedef {{id: number, name: string, register: string, icon: string, ask: string, why: string, other: string, unit: string, candidates: Candidate[], choices: {code: string, text: string}[]}} Card */

/** @param {HTMLElement} host @param {import('./offline.js').Phone} phone @param {ReturnType<typeof import('./waiting.js').watchWaiting>} waiting */
export async function startChecks(host, phone, waiting) {
  const waits = new Set((await phone.outbox.list()).map(one => one.check).filter(Boolean));
  for (const button of host.querySelectorAll('[data-script]')) if (button instanceof HTMLElement) button.hidden = false;
  for (const form of host.querySelectorAll('form[data-check]')) {
    if (!(form instanceof HTMLFormElement)) continue;
    const card = /** @type {Card} */ (JSON.parse(form.dataset.check ?? '{}'));
    if (waits.has(card.id)) drop(host, form);
    else form.addEventListener('submit', event => { event.preventDefault(); void take(host, form, card, event, phone, waiting); });
  }
}

/** @param {HTMLElement} host @param {HTMLElement} form */
function drop(host, form) {
  form.closest('.check')?.remove();
  const none = document.getElementById('no-checks');
  if (none) none.hidden = host.querySelectorAll('.check').length > 0;
}

/**
 * @param {HTMLElement} host @param {HTMLFormElement} form @param {Card} card @param {SubmitEvent} event
 * @param {import('./offline.js').Phone} phone @param {ReturnType<typeof import('./waiting.js').watchWaiting>} waiting
 */
async function take(host, form, card, event, phone, waiting) {
  const button = event.submitter;
  if (!(button instanceof HTMLButtonElement)) return;
  const error = find('[data-error]', form);
  error.hidden = true;
  try {
    const body = await said(form, card, button);
    await phone.outbox.add(newUuid(), {name: `${card.name} · ${card.ask}`, href: '/worker/checks', kind: 'check', check: card.id}, body, []);
  } catch (problem) {
    fill(error, problem instanceof Error && problem.message === 'empty' ? t('fact.empty') : 'here' in button.dataset ? t('fact.no_place') : errorText(problem));
    error.hidden = false;
    return;
  }
  drop(host, form);
  await waiting.send();
}

/** @param {HTMLFormElement} form @param {Card} card @param {HTMLButtonElement} button */
async function said(form, card, button) {
  const given = button.value;
  if (/^c\d+$/.test(given)) return {check: card.id, answer: 'value', value: card.candidates[Number(given.slice(1))].value};
  if (given !== 'other') return {check: card.id, answer: given};
  if ('here' in button.dataset) {
    const {lon, lat} = await here({fresh: true});
    return {check: card.id, answer: 'other', lon, lat};
  }
  const field = form.querySelector('input[name="value"]');
  const value = button.dataset.value ?? (field instanceof HTMLInputElement ? field.value.trim() : '');
  if (!value) throw new Error('empty');
  return {check: card.id, answer: 'other', value};
}

/** Draw the cards that were taken along. @param {HTMLElement} host @param {Card[]} cards */
export function drawChecks(host, cards) {
  fill(host, el('div', {id: 'checks'}, cards.map(card =>
    el('section', {class: 'block check'},
      el('p', {class: 'check-what'}, icon(card.icon), el('strong', null, card.name), ' ', el('span', {class: 'muted'}, card.register)),
      el('h2', null, card.ask),
      el('form', {class: 'check-answers', data: {check: JSON.stringify(card)}},
        card.candidates.map((one, place) => el('button', {class: 'btn check-answer', name: 'answer', value: `c${place}`, type: 'submit'}, el('strong', null, one.words), el('span', {class: 'muted small'}, t('fact.says', {who: one.sources})))),
        card.choices.map(one => el('button', {class: 'btn', name: 'answer', value: 'other', type: 'submit', data: {value: one.code}}, one.text)),
        ['text', 'number', 'day'].includes(card.other) && el('div', {class: 'visit-typed'}, el('input', {class: 'input', name: 'value', maxlength: 200, 'aria-label': card.ask}), el('button', {class: 'btn', name: 'answer', value: 'other', type: 'submit'}, t('fact.other'))),
        card.other === 'place' && el('button', {class: 'btn', name: 'answer', value: 'other', type: 'submit', data: {here: ''}}, icon('current-location'), t('fact.here')),
        el('div', {class: 'check-last'},
          el('button', {class: 'btn', name: 'answer', value: 'unknown', type: 'submit'}, icon('help-circle'), t('fact.unknown')),
          el('button', {class: 'btn', name: 'answer', value: 'gone', type: 'submit'}, icon('x'), t('fact.gone'))),
        el('p', {class: 'field-error', role: 'alert', data: {error: ''}, hidden: true})))),
    el('p', {class: 'list-note', id: 'no-checks', hidden: cards.length > 0}, t('fact.none'))));
}
