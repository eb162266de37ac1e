// One field in full, for the purpose of the page; after a minute the mask is back.

import {sendJson} from '../lib/api.js';
import {errorText} from '../ui/errors.js';
import {createToasts} from '../ui/toast.js';

const SHOWN_MS = 60_000;

export function startReveal() {
  const toasts = createToasts(document.body);
  for (const form of document.querySelectorAll('form[data-reveal]')) {
    if (form instanceof HTMLFormElement) form.addEventListener('submit', event => { event.preventDefault(); void reveal(form, toasts); });
  }
  // Leaving the page lets go of everything that was shown.
  addEventListener('pagehide', () => { for (const node of document.querySelectorAll('[data-revealed]')) node.textContent = ''; });
}

/** @param {HTMLFormElement} form @param {ReturnType<typeof createToasts>} toasts */
async function reveal(form, toasts) {
  const fields = new FormData(form);
  const place = form.parentElement?.querySelector('[data-value]');
  const button = form.querySelector('button');
  if (!(place instanceof HTMLElement) || !button) return;
  const mask = place.textContent ?? '';
  button.disabled = true;
  try {
    const answer = await sendJson('POST', form.action.replace('/people/', '/api/people/'), {
      field: String(fields.get('field')), purpose: String(fields.get('purpose')),
      case: String(fields.get('case')), child: fields.get('child') === 'yes',
    });
    place.textContent = answer.value;
    place.className = 'revealed';
    place.dataset.revealed = '';
    form.hidden = true;
    setTimeout(() => {
      place.textContent = mask;
      place.className = 'masked';
      delete place.dataset.revealed;
      form.hidden = false;
    }, SHOWN_MS);
  } catch (error) {
    toasts.show(errorText(error), {tone: 'late'});
  } finally {
    button.disabled = false;
  }
}
