// A modal window on the browser's own <dialog>: focus stays inside, Esc closes.

import {append, el, uid} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {icon} from './icon.js';

/**
 * @param {{title: string, body: import('../lib/dom.js').Child | import('../lib/dom.js').Child[], footer?: import('../lib/dom.js').Child[], class?: string, onClose?: () => void}} options
 */
export function openDialog({title, body, footer = [], class: extra = '', onClose}) {
  const id = uid('dialog');
  const close = () => dialog.close();
  const content = el('div', {class: 'dialog-body'});
  append(content, ...(Array.isArray(body) ? body : [body]));
  const dialog = el('dialog', {class: `dialog ${extra}`, 'aria-labelledby': id},
    el('header', {class: 'dialog-head'},
      el('h2', {id}, title),
      el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('action.close'), onclick: close}, icon('x'))),
    content,
    footer.length > 0 && el('footer', {class: 'dialog-foot'}, footer));
  dialog.addEventListener('close', () => { dialog.remove(); onClose?.(); });
  dialog.addEventListener('click', event => { if (event.target === dialog) close(); });
  document.body.append(dialog);
  dialog.showModal();
  return {element: dialog, content, close};
}

/** Ask before something that cannot be undone. @param {{title: string, text: string, action: string}} options @returns {Promise<boolean>} */
export function confirmDialog({title, text, action}) {
  return new Promise(resolve => {
    let answer = false;
    const decide = (/** @type {boolean} */ yes) => () => { answer = yes; dialog.close(); };
    const dialog = openDialog({
      title,
      body: el('p', null, text),
      footer: [
        el('button', {type: 'button', class: 'btn', onclick: decide(false)}, t('action.cancel')),
        el('button', {type: 'button', class: 'btn btn-primary', onclick: decide(true)}, action),
      ],
      onClose: () => resolve(answer),
    });
  });
}
