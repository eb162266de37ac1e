// Copies a text that is shown once.

import {t} from '../lib/i18n.js';

export function bindCopy() {
  for (const button of document.querySelectorAll('button[data-copy]')) {
    button.addEventListener('click', async () => {
      const source = document.getElementById(button.getAttribute('data-copy') ?? '');
      const label = button.querySelector('span');
      if (!source || !label) return;
      // The clipboard exists only under HTTPS; elsewhere the text is marked, to be copied by key.
      const isCopied = await navigator.clipboard?.writeText(source.textContent ?? '').then(() => true, () => false);
      if (!isCopied) getSelection()?.selectAllChildren(source);
      label.textContent = t(isCopied ? 'admin.copied' : 'admin.marked');
    });
  }
}
