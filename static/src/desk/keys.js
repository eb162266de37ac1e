// The desk by keyboard: j and k walk the list, digits choose a tray, letters act on a case.
// A letter only moves the focus; what changes something is confirmed by its own button.

import {bindKeys} from '../lib/keys.js';

const links = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll('.case-link')]);

/** @param {number} by */
function walk(by) {
  const all = links();
  if (!all.length) return;
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
  next.focus();
  next.scrollIntoView({block: 'nearest'});
}

function reply() {
  const form = document.querySelector('[data-action="reply"], [data-action="assist_reply"], .case-right .action');
  if (!(form instanceof HTMLDetailsElement)) return;
  form.open = true;
  const field = form.querySelector('textarea, input:not([type="hidden"]), select, button');
  if (field instanceof HTMLElement) field.focus();
}

function follow(/** @type {string} */ selector) {
  const link = document.querySelector(selector);
  if (link instanceof HTMLElement) link.click();
}

export function startKeys() {
  const help = document.getElementById('keys');
  const show = () => { if (help instanceof HTMLDialogElement && !help.open) help.showModal(); };
  document.querySelector('[data-keys]')?.addEventListener('click', show);
  /** @type {Record<string, (event: KeyboardEvent) => void>} */
  const commands = {
    j: () => walk(1), ArrowDown: () => walk(1), k: () => walk(-1), ArrowUp: () => walk(-1),
    r: reply, u: () => follow('[data-back], .crumbs a'), p: () => follow('[data-paper]'), '?': show,
    '/': () => document.getElementById('q')?.focus(),
  };
  for (let n = 1; n <= 9; n += 1) commands[String(n)] = () => follow(`.desk-filters .chip:nth-child(${n})`);
  bindKeys(commands);
}
