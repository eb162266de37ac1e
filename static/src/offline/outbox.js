// Visits and answers that wait for a network. Each carries an id made on the phone and the server stores by
// that id: sending one twice is harmless, so we may always retry. An item leaves the phone only
// with the server's own answer; one that is refused stays, with the reason.

import {ApiError} from '../lib/api.js';

/** An expired sign-in or a page that is out of date is no refusal. */
const LATER = new Set([401, 408, 425, 429]);
const LATER_CODES = new Set(['request.forged', 'sign_in.needed', 'sign_in.step_up']);

/** @param {unknown} error */
const isLater = error => !(error instanceof ApiError) || error.isTemporary || LATER.has(error.status) || LATER_CODES.has(error.code);

/** @typedef {{code: string, status: number, detail: string, errors: {field: string, message: string}[]}} Problem */
/** @typedef {{sent: any[], refused: number, left: number, error: unknown}} Flushed */

/**
 * @param {{
 *   vault: Pick<import('./vault.js').Vault, 'put' | 'mark' | 'get' | 'list' | 'remove'>,
 *   sendBlob: (bytes: ArrayBuffer, type: string) => Promise<{sha256: string}>,
 *   sendVisit: (id: string, body: any) => Promise<any>,
 *   sendCheck?: (id: string, body: any) => Promise<any>,
 *   prepare?: () => Promise<unknown>,
 *   onChange?: () => void,
 * }} options  `prepare` makes sure that the same person is still signed in, before anything leaves
 */
export function createOutbox({vault, sendBlob, sendVisit, sendCheck = sendVisit, prepare = async () => {}, onChange = () => {}}) {
  /** @type {Promise<Flushed> | null} */
  let running = null;
  /** @type {Promise<Flushed> | null} */
  let next = null;

  /** A visit, or the answer to one question (`kind`). @param {string} id @param {{name: string, href: string, kind?: 'visit' | 'check', check?: number}} shown @param {any} body @param {import('./vault.js').Shot[]} shots */
  async function add(id, shown, body, shots) {
    await vault.put({id, kind: 'visit', at: new Date().toISOString(), ...shown}, body, shots);
    onChange();
  }

  /** The oldest first. */
  const list = async () => [...await vault.list('visit'), ...await vault.list('check')].sort((a, b) => a.at.localeCompare(b.at));

  /**
   * Send everything that waits; stop where the server cannot take it now. A run that is under way
   * may have looked before the caller added something: another follows it, and tells of both.
   * @returns {Promise<Flushed>}
   */
  function flush() {
    if (!running) {
      running = sendAll().finally(() => { running = null; });
      return running;
    }
    next ??= running.then(async first => {
      next = null;
      const second = await flush();
      return {...second, sent: [...first.sent, ...second.sent], refused: first.refused + second.refused};
    });
    return next;
  }

  /** @returns {Promise<Flushed>} */
  async function sendAll() {
    /** @type {Flushed} */
    const result = {sent: [], refused: 0, left: 0, error: null};
    const waiting = (await list()).filter(item => !item.problem);
    if (!waiting.length) return result;
    try {
      await prepare();
      for (const item of waiting) {
        try {
          result.sent.push({id: item.id, name: item.name, answer: await send(item.id)});
          await vault.remove(item.id);
        } catch (error) {
          if (isLater(error)) throw error;
          await vault.mark(item.id, {problem: problemOf(/** @type {ApiError} */ (error))});
          result.refused += 1;
        }
        onChange();
      }
    } catch (error) {
      result.error = error;
    }
    result.left = (await list()).filter(item => !item.problem).length;
    onChange();
    return result;
  }

  /** The photos first, then the record that names them. @param {string} id */
  async function send(id) {
    const item = await vault.get(id);
    if (!item) throw new ApiError({status: 404, code: 'offline.unreadable'});
    if (item.kind === 'check') return sendCheck(id, item.body);
    const {photo_answers: answered = [], ...body} = item.body;
    const [answers, photos] = [{...body.answers}, {...body.photos}];
    for (const shot of item.shots) {
      const {sha256} = await sendBlob(shot.bytes, shot.type);
      if (answered.includes(shot.key)) answers[shot.key] = sha256;
      else photos[shot.key] = sha256;
    }
    return sendVisit(id, {...body, answers, photos});
  }

  /** @param {ApiError} error @returns {Problem} */
  const problemOf = error => ({code: error.code, status: error.status, detail: error.detail, errors: error.errors});

  return {add, list, flush, get: vault.get, remove: async (/** @type {string} */ id) => { await vault.remove(id); onChange(); }};
}

/** @typedef {ReturnType<typeof createOutbox>} Outbox */
