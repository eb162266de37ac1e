// Figures that grow old: parts marked `data-live` are asked for again while they are looked at.

import {pageAt, take} from './page.js';

const EVERY_MS = 30_000;
/** A verification ends within seconds or minutes: its page asks more often. */
const SOON_MS = 3_000;

/** Ask for the page again, unless somebody is at work in it. */
export async function fresh() {
  const shown = document.querySelector('[data-live]');
  if (!shown || document.hidden || shown.contains(document.activeElement)) return;
  const name = shown.getAttribute('data-live');
  const page = await pageAt(location.href).catch(() => null);
  // What cannot be reached keeps its "as of", which says how old it is.
  if (!page || !take(page, `[data-live="${name}"]`)) return;
  take(page, '.admin-title');
}

export function keepFresh() {
  const live = document.querySelector('[data-live]');
  if (live) setInterval(fresh, live.getAttribute('data-live') === 'chain' || live.getAttribute('data-live') === 'draft' ? SOON_MS : EVERY_MS);
}
