// What the head of a page does by script: light / dark / auto at once, and menus that close.

import {setTheme, theme} from '../lib/theme.js';
import {bindPlaces} from './places.js';

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
  bindPlaces();
}
