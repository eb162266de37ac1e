// The own account: theme and language, and keeping what is shown only once.

import {pageData} from './lib/dom.js';
import {setZone, t, useMessages} from './lib/i18n.js';
import {bindThemeSwitch} from './ui/theme-switch.js';
import {createToasts} from './ui/toast.js';
import zh from './messages/account.zh.js';
import en from './messages/account.en.js';
import commonZh from './messages/common.zh.js';
import commonEn from './messages/common.en.js';

useMessages({zh: {...commonZh, ...zh}, en: {...commonEn, ...en}});
setZone(pageData().city?.zone);
bindThemeSwitch();
const toasts = createToasts(document.body);

/** The text of a list or a line. @param {string} id */
function textOf(id) {
  const node = document.getElementById(id);
  const lines = [...(node?.querySelectorAll('li') ?? [])].map(item => item.textContent?.trim() ?? '');
  return lines.length ? lines.join('\n') : node?.textContent?.trim() ?? '';
}

for (const button of document.querySelectorAll('[data-copy]')) {
  button.addEventListener('click', async () => {
    const text = textOf(button.getAttribute('data-copy') ?? '');
    // Over plain HTTP there is no clipboard; what is shown can be selected and copied by hand.
    if (!navigator.clipboard) return;
    await navigator.clipboard.writeText(text);
    toasts.show(t('account.copied'), {tone: 'ok'});
  });
}

for (const button of document.querySelectorAll('[data-download]')) {
  button.addEventListener('click', () => {
    const id = button.getAttribute('data-download') ?? '';
    const title = document.getElementById(id)?.dataset.title ?? id;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([`${title}\n\n${textOf(id)}\n`], {type: 'text/plain'}));
    link.download = `${title}.txt`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

for (const button of document.querySelectorAll('[data-print]')) button.addEventListener('click', () => window.print());
