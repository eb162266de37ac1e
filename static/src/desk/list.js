// The time left of each case runs; the list asks for news while it is looked at.

import {timeLeft} from '../lib/dates.js';
import {t} from '../lib/i18n.js';

const EVERY_MS = 20_000;
const TICK_MS = 15_000;

/** @param {{now?: string}} data */
export function startList(data) {
  // A desk's clock may be wrong; the page came with the server's.
  const offset = data.now ? Date.parse(data.now) - Date.now() : 0;

  function showTimes() {
    for (const node of document.querySelectorAll('[data-due]')) {
      if (!(node instanceof HTMLElement)) continue;
      const {risk, text} = timeLeft({due_at: node.dataset.due || null, risk: /** @type {import('../lib/dates.js').Risk} */ (node.dataset.risk)}, Date.now() + offset);
      node.textContent = text;
      node.className = `tone-${risk}`;
    }
  }

  async function refresh() {
    const shown = document.getElementById('cases');
    if (!shown || document.hidden || shown.contains(document.activeElement)) return;
    const note = document.getElementById('as-of');
    try {
      const answer = await fetch(location.href, {headers: {Accept: 'text/html'}, credentials: 'same-origin'});
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      for (const id of ['cases', 'as-of']) {
        const next = page.getElementById(id);
        if (next) document.getElementById(id)?.replaceWith(document.adoptNode(next));
      }
      const chips = page.querySelector('.desk-filters .chips');
      if (chips) document.querySelector('.desk-filters .chips')?.replaceWith(document.adoptNode(chips));
      showTimes();
    } catch {
      if (note) note.textContent = t('list.stale');
      note?.classList.add('tone-soon');
    }
  }

  showTimes();
  setInterval(showTimes, TICK_MS);
  if (document.getElementById('cases')) setInterval(refresh, EVERY_MS);
}
