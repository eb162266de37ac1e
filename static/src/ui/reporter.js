// How to reach who reported a case: asked for with a purpose, shown for a minute, kept nowhere.

import {sendJson} from '../lib/api.js';
import {el, fill} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {openDialog} from './dialog.js';
import {errorText} from './errors.js';
import {icon} from './icon.js';

/** The list of the server (`grids/people/purposes.py`). */
const PURPOSES = ['call_back', 'find_place', 'tell_result'];
const SHOWN_MS = 60_000;

/** @param {string} caseId */
export function reporterButton(caseId) {
  return el('button', {type: 'button', class: 'link', data: {reporter: caseId}, onclick: () => ask(caseId)}, icon('phone'), ' ', t('reporter.ask'));
}

/** @param {string} caseId */
function ask(caseId) {
  const answer = el('div', {class: 'reporter-answer', 'aria-live': 'polite'});
  const choices = PURPOSES.map(code => el('button', {type: 'button', class: 'btn', data: {purpose: code}, onclick: () => show(code)}, t(`reporter.purpose.${code}`)));
  const dialog = openDialog({
    title: t('reporter.title'),
    body: el('div', {class: 'form'}, el('p', {class: 'muted'}, t('reporter.why')), el('div', {class: 'form-actions'}, ...choices), answer),
  });

  async function show(/** @type {string} */ purpose) {
    for (const button of choices) button.disabled = true;
    try {
      const {contacts} = await sendJson('POST', `/api/incidents/${caseId}/reporter`, {purpose});
      fill(answer, el('dl', {class: 'facts'}, ...contacts.flatMap((/** @type {{name: string, phone: string}} */ one) => [
        el('dt', null, one.name || t('reporter.noName')),
        el('dd', null, one.phone ? el('a', {class: 'link', href: `tel:${one.phone}`}, icon('phone'), ' ', one.phone) : '–'),
      ])));
      setTimeout(() => dialog.close(), SHOWN_MS);
    } catch (error) {
      fill(answer, el('p', {class: 'form-error', role: 'alert'}, errorText(error)));
      for (const button of choices) button.disabled = false;
    }
  }
}
