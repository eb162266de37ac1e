// Forms of sensitive acts ask for a fresh proof of identity before they are sent, so that
// nothing that was typed is lost. The server asks anyway.

import {pageData} from '../lib/dom.js';
import {confirmIdentity} from '../lib/confirm.js';

/** A proof is taken as old a little before the server does. */
const MARGIN_MS = 20_000;

export function bindProof() {
  const {now, fresh_until: until, proof_lasts_s: lasts} = pageData();
  // The page came with the server's clock; ours may be wrong.
  const offset = now ? Date.parse(now) - Date.now() : 0;
  let freshUntil = until ? Date.parse(until) : 0;

  document.addEventListener('submit', async event => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.hasAttribute('data-step-up')) return;
    if (Date.now() + offset < freshUntil - MARGIN_MS) return;
    event.preventDefault();
    if (!(await confirmIdentity())) return;
    freshUntil = Date.now() + offset + Number(lasts ?? 0) * 1000;
    form.submit();
  });
}
