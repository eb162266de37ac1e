// The buttons light / dark / auto of the page head. They are links in the HTML, so that
// they work without script; with it the page changes at once.

import {setTheme, theme} from '../lib/theme.js';

/** @param {ParentNode} [root] */
export function bindThemeSwitch(root = document) {
  const buttons = [...root.querySelectorAll('[data-set-theme]')];
  const mark = () => buttons.forEach(button => {
    if (button.getAttribute('data-set-theme') === theme()) button.setAttribute('aria-current', 'true');
    else button.removeAttribute('aria-current');
  });
  for (const button of buttons) {
    button.addEventListener('click', event => {
      event.preventDefault();
      setTheme(/** @type {import('../lib/theme.js').Theme} */ (button.getAttribute('data-set-theme')));
      mark();
    });
  }
  mark();
}
