// What the stream tells and what this person's own steps change, brought to every part of the
// page that shows it.

import {getJson, urlOf} from '../lib/api.js';
import {createLive, throttled} from '../lib/live.js';
import {wordsOf} from './rows.js';
import {belongs} from './state.js';

const FIGURES_MS = 30_000;

/** @typedef {import('./rows.js').Claim} Claim */

/**
 * @param {{live: string, area: string, me: {id: number}, iso: () => string, store: {get: () => import('./state.js').State}, rows: ReturnType<typeof import('./rows.js').createRows>,
 *   casePane: () => ReturnType<typeof import('./case.js').createCase>, map: () => any, linkState: ReturnType<typeof import('../lib/live.js').createLinkState>,
 *   recount: () => void, refigure: () => void}} options  recount: the facets; refigure: the figures of the shift
 */
export function createNews({live, area, me, iso, store, rows, casePane, map, linkState, recount, refigure}) {
  /** Claims of cases that no row of the queue shows. @type {Map<string, Claim | null>} */
  const claimed = new Map();
  const refreshCounts = throttled(() => { recount(); refigure(); });
  const watch = throttled(() => rows.watch());

  /** @param {string} id */
  async function refreshRow(id) {
    const file = await getJson(`/api/incidents/${id}`).catch(() => null);
    if (file) rows.update(wordsOf(file), !belongs(store.get(), file));
  }

  /** The server took or took back steps of these cases. @param {string[]} ids */
  function afterSteps(ids) {
    for (const id of new Set(ids)) {
      casePane().refresh(id);
      if (id !== casePane().shown()?.id && rows.find(id)) refreshRow(id);
    }
    refreshCounts();
  }

  return {
    afterSteps,
    claimOf: (/** @type {string} */ id) => rows.find(id)?.claim ?? claimed.get(id),
    follow() {
      createLive({
        url: urlOf(`${live}/live`, {area}),
        poll: () => rows.watch(),
        onReload: () => { watch(); refreshCounts(); },
        onLink: linkState.become,
        onNews(news) {
          watch();
          refreshCounts();
          casePane().refresh(news.incident);
          map().incidents.flash(news.incident);
          if (news.incident !== store.get().opened && rows.find(news.incident)) refreshRow(news.incident);
        },
        onClaim(claim) {
          const words = claim.free ? null : {name: claim.name ?? '', mine: claim.account === me.id, since: iso(), until: claim.until};
          claimed.set(claim.id, words);
          rows.update({id: claim.id, claim: words});
          casePane().claimChanged(claim.id);
        },
      });
      setInterval(refigure, FIGURES_MS);
      addEventListener('offline', () => linkState.answered(false));
      addEventListener('online', () => { watch(); refreshCounts(); });
    },
  };
}
