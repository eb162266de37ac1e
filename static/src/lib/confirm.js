// A fresh proof of who one is, for sensitive acts: one dialog at a time, whoever asks.

import {ApiError, getJson, sendJson} from './api.js';
import {el} from './dom.js';
import {t} from './i18n.js';
import {openDialog} from '../ui/dialog.js';
import {icon} from '../ui/icon.js';

/** @typedef {{password: boolean, code: boolean, provider: boolean}} Asked */

/** @type {Promise<boolean> | null} */
let open = null;

/** Ask for the password and, where there is one, a code; true once the server has taken them. */
export function confirmIdentity() {
  open ??= ask().finally(() => { open = null; });
  return open;
}

/** @returns {Promise<boolean>} */
async function ask() {
  const asked = /** @type {Asked} */ (await getJson('/api/confirm'));
  return new Promise(resolve => {
    let isProved = false;
    const password = input('password', {type: 'password', autocomplete: 'current-password'});
    const code = input('code', {autocomplete: 'one-time-code', autocapitalize: 'characters', maxlength: 24});
    const problem = el('p', {class: 'form-error', role: 'alert', hidden: true});
    const send = el('button', {type: 'submit', class: 'btn btn-primary', form: 'confirm-form'}, icon('shield-check'), t('confirm.submit'));
    const page = `/confirm?next=${encodeURIComponent(location.pathname + location.search)}`;
    const form = el('form', {class: 'form', id: 'confirm-form', novalidate: true},
      el('p', {class: 'muted'}, t('confirm.lead')),
      asked.password && field('password', t('confirm.password'), password),
      asked.password && asked.code && field('code', t('confirm.code'), code),
      problem,
      !asked.password && el('p', null, el('a', {class: 'btn btn-primary', href: page}, t('confirm.elsewhere'))));
    form.addEventListener('submit', async event => {
      event.preventDefault();
      send.disabled = true;
      try {
        await sendJson('POST', '/api/confirm', {password: password.value, code: code.value});
        isProved = true;
        dialog.close();
      } catch (error) {
        problem.textContent = error instanceof ApiError && error.detail ? error.detail : t('confirm.failed');
        problem.hidden = false;
        code.value = '';
        password.select();
      } finally {
        send.disabled = false;
      }
    });
    const dialog = openDialog({
      title: t('confirm.title'),
      class: 'dialog-confirm',
      body: form,
      footer: [
        el('button', {type: 'button', class: 'btn', onclick: () => dialog.close()}, t('action.cancel')),
        ...(asked.password ? [send] : []),
      ],
      onClose: () => resolve(isProved),
    });
    password.focus();
  });
}

/** @param {string} name @param {Record<string, any>} more */
const input = (name, more) => el('input', {class: 'input', id: `confirm-${name}`, name, required: true, ...more});

/** @param {string} name @param {string} label @param {HTMLElement} control */
const field = (name, label, control) =>
  el('div', {class: 'field'}, el('label', {class: 'field-label', for: `confirm-${name}`}, label), control);
