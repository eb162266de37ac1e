// A report's page asks now and then whether something happened, and takes over the
// server's own rendering, so that there is one place that knows how it looks.

import {find} from '../lib/dom.js';
import {dateText, t} from '../lib/i18n.js';

const EVERY_MS = 5_000;
const SLOWEST_MS = 60_000;

/** @param {HTMLElement} host */
export function startTrack(host) {
  let shown = host;
  let wait = EVERY_MS;

  function bind() {
    document.getElementById('copy')?.addEventListener('click', async () => {
      const label = find('#copy');
      try {
        await navigator.clipboard.writeText(`${location.origin}${location.pathname}`);
        label.textContent = t('track.copied');
      } catch {
        label.textContent = t('track.copy_failed');
      }
    });
  }

  async function look() {
    const live = document.getElementById('live');
    try {
      const answer = await fetch(location.pathname, {headers: {Accept: 'text/html'}, credentials: 'same-origin'});
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const next = page.getElementById('report-state');
      if (next && next.dataset.version !== shown.dataset.version) {
        const fresh = document.adoptNode(next);
        shown.replaceWith(fresh);
        shown = fresh;
        document.title = page.title;
        bind();
      }
      wait = EVERY_MS;
      const now = document.getElementById('live');
      now?.classList.remove('is-stale');
      if (now) now.textContent = t('track.as_of', {at: dateText(Date.now(), 'seconds')});
    } catch {
      wait = Math.min(SLOWEST_MS, wait * 2);
      live?.classList.add('is-stale');
      if (live) live.textContent = t('track.stale');
    }
    setTimeout(tick, wait);
  }

  /** Nobody looks at a hidden page: wait until it is seen again. */
  function tick() {
    if (document.hidden) document.addEventListener('visibilitychange', () => tick(), {once: true});
    else void look();
  }

  bind();
  setTimeout(tick, wait);
}
