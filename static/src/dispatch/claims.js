// Who works on what. A claim is made by starting to act, never by looking; it is renewed
// while it is held and ends by itself when this page is gone.

import {sendJson} from '../lib/api.js';

const RENEW_MS = 30_000;

/** @param {{onChange: (id: string, isHeld: boolean) => void, onRefused: (id: string, error: unknown) => void, send?: typeof sendJson}} options */
export function createClaims({onChange, onRefused, send = sendJson}) {
  /** @type {Set<string>} */
  const held = new Set();

  setInterval(() => {
    if (held.size) send('POST', '/api/desk/claims/renew', {ids: [...held]}).catch(() => {});
  }, RENEW_MS);

  /** @param {string} id */
  async function free(id) {
    if (!held.delete(id)) return;
    onChange(id, false);
    await send('DELETE', `/api/desk/claims/${id}`).catch(() => {});
  }

  return {
    /** Returns whether the case is now this person's. @param {string} id */
    async hold(id) {
      if (held.has(id)) return true;
      try {
        await send('PUT', `/api/desk/claims/${id}`, {});
        held.add(id);
        onChange(id, true);
        return true;
      } catch (error) {
        onRefused(id, error);
        return false;
      }
    },
    free,
    has: (/** @type {string} */ id) => held.has(id),
  };
}
