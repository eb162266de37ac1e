// The tree of areas in the form of a grant. Each area is a link to the same page with that
// area chosen; here only the tree changes, so that the rest of the form is kept.

import {pageAt, take} from './page.js';

export function bindPicker() {
  document.addEventListener('click', async event => {
    const link = event.target instanceof Element ? event.target.closest('a[data-pick]') : null;
    if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const {href} = link;
    const page = await pageAt(href).catch(() => null);
    if (!page || !take(page, '#area-picker')) {
      location.href = href;
      return;
    }
    const chosen = document.querySelector('#area-picker .picker-path a[aria-current]');
    if (chosen instanceof HTMLElement) chosen.focus();
  });
}
