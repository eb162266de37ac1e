// Light, dark, or as the system says. The server writes the attribute from the cookie,
// so a page never flashes in the wrong colours; script only changes and remembers it.

/** @typedef {'light' | 'dark' | 'auto'} Theme */

const dark = typeof matchMedia === 'undefined' ? null : matchMedia('(prefers-color-scheme: dark)');
/** @type {Set<(isDark: boolean) => void>} */
const listeners = new Set();

/** @returns {Theme} */
export const theme = () => /** @type {Theme} */ (document.documentElement.dataset.theme ?? 'auto');

export const isDark = () => theme() === 'dark' || (theme() === 'auto' && Boolean(dark?.matches));

/** @param {Theme} next @param {{isKept?: boolean}} [options]  isKept: also for the next page */
export function setTheme(next, {isKept = true} = {}) {
  document.documentElement.dataset.theme = next;
  if (isKept) document.cookie = `wangge_theme=${next}; path=/; max-age=31536000; samesite=lax`;
  tell();
}

/** Hear when the colours change. @param {(isDark: boolean) => void} hear */
export function onTheme(hear) {
  listeners.add(hear);
  return () => listeners.delete(hear);
}

function tell() {
  for (const hear of listeners) hear(isDark());
}

dark?.addEventListener('change', tell);

/** The value of a design token as the page has it now. @param {string} name  without the dashes */
export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Whether the reader asked for less motion. */
export const wantsStill = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
