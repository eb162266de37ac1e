// One way for everything a phone sends: the photos first, then the record that names them.
// Each record carries an id made before the first try, so trying again is harmless; a queue
// for times without a network can stand in front of `send` without a change here.

import {retrying, sendJson} from '../lib/api.js';

/**
 * @typedef {{id: string, method: 'PUT' | 'POST', url: string, body: Record<string, any>, photos: () => Promise<string[]>}} Parcel
 */

/**
 * Send a parcel. Resolves only with the server's own answer: nothing is "sent" before it.
 *
 * @param {Parcel} parcel
 * @param {{put?: typeof sendJson}} [options]
 * @returns {Promise<any>}
 */
export async function send(parcel, {put = sendJson} = {}) {
  const photos = await parcel.photos();
  return retrying(() => put(parcel.method, parcel.url, {...parcel.body, photos}));
}

/** Whether this page may hash and make ids: only under HTTPS or on this very machine. */
export const isSecure = () => typeof crypto !== 'undefined' && Boolean(crypto.subtle) && 'randomUUID' in crypto;
