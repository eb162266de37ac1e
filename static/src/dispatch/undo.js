// Taking back: offered for a while after the server said "done", with the key and the button.

import {ApiError, sendJson} from '../lib/api.js';
import {t} from '../lib/i18n.js';
import {newUuid} from '../lib/uuid.js';
import {errorText} from '../ui/errors.js';

/** The server takes a step back within 30 s; what is offered here ends well before. */
const OFFERED_MS = 20_000;

/** @param {{toast: (text: string, options?: any) => (() => void) | undefined, ticks: () => number, onUndone: (ids: string[]) => void, onExpired: () => void}} options */
export function createUndo({toast, ticks, onUndone, onExpired}) {
  /** @type {{body: Record<string, any>, ids: string[], until: number, close?: () => void} | null} */
  let last = null;

  async function run() {
    const wanted = last;
    if (!wanted || ticks() > wanted.until) {
      last = null;
      toast(t('dispatch.undo.nothing'), {tone: 'info'});
      return;
    }
    last = null;
    wanted.close?.();
    try {
      const {done, refused} = wanted.body.merged ? await part(wanted.body) : await sendJson('POST', '/api/desk/undo', wanted.body);
      if (done.length) toast(t('dispatch.undo.done', {n: done.length}), {tone: 'ok'});
      for (const one of refused.slice(0, 1)) toast(t('dispatch.undo.refused', {n: refused.length, why: one.detail}), {tone: 'late'});
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) onExpired();
      toast(errorText(error), {tone: 'late'});
    }
    onUndone(wanted.ids);
  }

  /** Two cases became one: that is taken back by a step of its own, which tells both. @param {Record<string, any>} body */
  async function part({id, merged}) {
    await sendJson('POST', `/api/incidents/${merged}/moves`, {id, action: 'unmerge', note: t('dispatch.undo.parted')});
    return {done: [merged], refused: []};
  }

  return {
    run,
    /** @param {string} text @param {Record<string, any>} what  of the request @param {string[]} ids */
    offer(text, what, ids) {
      // The id is made with the offer: pressed twice, it is one act.
      const offer = {body: {id: newUuid(), ...what}, ids, until: ticks() + OFFERED_MS};
      last = offer;
      const close = toast(text, {tone: 'ok', ms: OFFERED_MS, way: {label: t('dispatch.undo'), key: 'u', run: () => { last = offer; run(); }}});
      last = {...offer, close};
    },
  };
}
