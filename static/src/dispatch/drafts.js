// What was typed and not sent. It is kept in this browser at once and on the server a moment
// later: a reload, a crash, an expired sign-in or another machine loses nothing.

import {ApiError, getJson, sendJson} from '../lib/api.js';

/** @typedef {{action: string, fields: Record<string, any>, at: number}} Draft */

const WAIT_MS = 400;
/** Older ones are of another shift. */
const KEPT_MS = 36 * 3600_000;

/**
 * @param {{account: number, now: () => number, store?: Storage | null, read?: typeof getJson, send?: typeof sendJson}} options
 */
export function createDrafts({account, now, store = globalThis.localStorage ?? null, read = getJson, send = sendJson}) {
  const prefix = `wangge.draft.${account}.`;
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  const timers = new Map();
  /** A draft that is being written must be there before it is taken away. @type {Map<string, Promise<unknown>>} */
  const writing = new Map();

  /** @param {string} id @returns {Draft | null} */
  function local(id) {
    try {
      const kept = JSON.parse(store?.getItem(prefix + id) ?? 'null');
      return kept && now() - kept.at < KEPT_MS ? kept : null;
    } catch {
      return null;
    }
  }

  /** @param {string} id @param {Draft | null} draft */
  function keepLocal(id, draft) {
    try {
      if (draft) store?.setItem(prefix + id, JSON.stringify(draft));
      else store?.removeItem(prefix + id);
    } catch { /* The server's copy is the one that counts. */ }
  }

  /** Files cannot be kept, and what is empty need not. @param {Record<string, any>} values */
  const plain = values => Object.fromEntries(Object.entries(values).filter(([, value]) =>
    (typeof value === 'string' && value !== '') || (Array.isArray(value) && value.length > 0 && value.every(one => typeof one === 'string'))));

  /** @param {string} id @param {() => Promise<unknown>} write */
  function after(id, write) {
    const turn = (writing.get(id) ?? Promise.resolve()).then(write).catch(() => {});
    writing.set(id, turn);
    return turn;
  }

  return {
    /** @param {string} id @param {string} action @param {Record<string, any>} values */
    keep(id, action, values) {
      const draft = {action, fields: plain(values), at: now()};
      keepLocal(id, draft);
      clearTimeout(timers.get(id));
      timers.set(id, setTimeout(() => { timers.delete(id); after(id, () => send('PUT', `/api/desk/drafts/${id}`, {action, fields: draft.fields})); }, WAIT_MS));
    },
    /** The newer of the two copies. @param {string} id @returns {Promise<Draft | null>} */
    async of(id) {
      const here = local(id);
      try {
        const answer = await read(`/api/desk/drafts/${id}`);
        const there = answer?.draft;
        if (!there?.action) return here;
        const at = Date.parse(there.at ?? '') || 0;
        return here && here.at > at ? here : {action: there.action, fields: there.fields ?? {}, at};
      } catch (error) {
        if (error instanceof ApiError) return here;
        throw error;
      }
    },
    /** @param {string} id */
    drop(id) {
      keepLocal(id, null);
      clearTimeout(timers.get(id));
      timers.delete(id);
      return after(id, () => send('DELETE', `/api/desk/drafts/${id}`));
    },
    /** Leave nothing in this browser: somebody else will sit here. */
    leave() {
      for (const name of Object.keys(store ?? {})) if (name.startsWith(prefix)) store?.removeItem(name);
    },
  };
}
