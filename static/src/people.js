// The registrar's pages. Forms come from the server and work alone; this file shows a field
// in its place, lets it go again after a minute, and hides what a purpose does not need.

import {find, pageData} from './lib/dom.js';
import {setZone, useMessages} from './lib/i18n.js';
import commonZh from './messages/common.zh.js';
import commonEn from './messages/common.en.js';
import {startReveal} from './people/reveal.js';
import {bindThemeSwitch} from './ui/theme-switch.js';

useMessages({zh: commonZh, en: commonEn});
document.documentElement.classList.add('has-script');

setZone(pageData().city?.zone);
bindThemeSwitch();
startReveal();

/** The number of a case is asked for only where the purpose is one. */
for (const form of document.querySelectorAll('form')) {
  const field = form.querySelector('.case-field');
  if (!field) continue;
  const input = /** @type {HTMLInputElement} */ (find('input', field));
  const show = () => {
    const chosen = /** @type {HTMLInputElement | null} */ (form.querySelector('input[name="purpose"]:checked'));
    const isCase = chosen?.value === 'case';
    field.classList.toggle('is-away', !isCase);
    input.required = isCase;
  };
  form.addEventListener('change', show);
  show();
}

/** Of the form of an event only what its kind needs is shown. */
for (const form of document.querySelectorAll('.life-form')) {
  const parts = /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll('.life-part'));
  const show = () => {
    const chosen = /** @type {HTMLInputElement | null} */ (form.querySelector('input[name="kind"]:checked'));
    for (const part of parts) {
      part.hidden = !(part.dataset.of ?? '').split(' ').includes(chosen?.value ?? '');
      // What was ticked for another kind is not sent with this one.
      for (const input of part.querySelectorAll('input, select')) input.toggleAttribute('disabled', part.hidden);
    }
  };
  form.addEventListener('change', show);
  show();
}
