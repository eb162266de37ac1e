// The phone's own memory: who it belongs to, what waits to be sent, and the package of the round.

import {ApiError, getJson, sendJson} from '../lib/api.js';
import {lang} from '../lib/i18n.js';
import {createOutbox} from '../offline/outbox.js';
import {openVault} from '../offline/vault.js';
import {isSecure} from '../phone/send.js';

/** Whose phone it is while nobody can be asked. The number of an account, no name. */
const WHO = 'wangge.who';
const SHELL_LOOK = 'wangge.shell';
const PACKAGE = 'package';
const FRESH_MS = 15 * 60_000;

/** @typedef {import('../offline/vault.js').Vault} Vault */
/** @typedef {import('../offline/outbox.js').Outbox} Outbox */
/** @typedef {{vault: Vault, outbox: Outbox, isOnline: boolean}} Phone */

/** @param {string} name @param {string | null} value */
function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch { /* private mode: nothing is kept, and the page says so */ }
}

/** @param {string} name */
function remembered(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}

/** Who is signed in; pages that were kept get the word with which they may send. @returns {Promise<number>} */
async function signedIn() {
  const {account, csrf_token: word} = await getJson('/worker/api/session');
  document.querySelector('meta[name="csrf-token"]')?.setAttribute('content', word);
  return account;
}

/** @param {ArrayBuffer} bytes */
async function hashOf(bytes) {
  return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {ArrayBuffer} bytes @param {string} type @returns {Promise<{sha256: string}>} */
async function sendBlob(bytes, type) {
  const word = document.querySelector('meta[name="csrf-token"]')?.getAttribute('content') ?? '';
  const answer = await fetch(`/api/blobs/${await hashOf(bytes)}`, {
    method: 'PUT', credentials: 'same-origin', body: bytes,
    headers: {Accept: 'application/json', 'Content-Type': type || 'image/jpeg', 'X-CSRF-Token': word},
  }).catch(() => { throw new ApiError({status: 0, code: 'network.unreachable'}); });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new ApiError({...body, status: answer.status, code: body.code || `http.${answer.status}`});
  return body;
}

/**
 * Open the phone's memory. Null where this browser keeps nothing, or nobody ever signed in on it.
 *
 * @param {() => void} onChange  what waits has changed
 * @returns {Promise<Phone | null>}
 */
export async function openPhone(onChange) {
  if (!isSecure() || !('indexedDB' in window)) return null;
  let account = Number(remembered(WHO)) || 0;
  let isOnline = true;
  try {
    account = await signedIn();
    remember(WHO, String(account));
  } catch (error) {
    isOnline = error instanceof ApiError && error.status !== 0;
  }
  if (!account) return null;
  try {
    const vault = await openVault(account);
    const prepare = async () => {
      // Somebody else may have signed in since: what waits is sent under its own writer only.
      if (await signedIn() !== account) throw new ApiError({status: 401, code: 'sign_in.needed'});
    };
    const outbox = createOutbox({vault, sendBlob, sendVisit: (id, body) => sendJson('PUT', `/api/visits/${id}`, body), sendCheck: (id, body) => sendJson('PUT', `/api/checks/${id}`, body), prepare, onChange});
    return {vault, outbox, isOnline};
  } catch {
    return null;
  }
}

/** @param {Phone} phone */
export const packageOf = phone => phone.vault.get(`${PACKAGE}-${phone.vault.account}`);

/** Take the round along while there is a network; once in a few minutes is enough. @param {Phone} phone @param {boolean} [isPressing] */
export async function takePackage(phone, isPressing = false) {
  const before = await packageOf(phone);
  const age = before ? Date.now() - Date.parse(before.at) : Infinity;
  if (age < FRESH_MS && !isPressing && before?.body.lang === lang()) return before;
  const body = await getJson('/api/visits/package');
  if (body.account !== phone.vault.account) return before;
  await phone.vault.put({id: `${PACKAGE}-${phone.vault.account}`, kind: 'package', at: new Date().toISOString()}, body);
  return packageOf(phone);
}

/** The service worker, and the page that it shows without a network, in the reader's language and look. */
export async function keepShell() {
  if (!('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register('/worker/sw.js', {scope: '/worker/'});
    await navigator.serviceWorker.ready;
    const look = JSON.stringify([lang(), document.documentElement.dataset.theme, document.documentElement.dataset.elder]);
    if (remembered(SHELL_LOOK) === look) return;
    const fresh = await fetch('/worker/offline', {credentials: 'same-origin'});
    const name = (await caches.keys()).find(each => each.startsWith('wangge-shell-'));
    if (fresh.ok && name) await (await caches.open(name)).put('/worker/offline', fresh);
    remember(SHELL_LOOK, look);
    await navigator.storage?.persist?.();
  } catch { /* without it everything works while there is a network, and the page says so */ }
}

/** Forget whose phone it is; what waits stays sealed until the same person is back. @param {Phone} phone */
export async function leavePhone(phone) {
  await phone.vault.remove(`${PACKAGE}-${phone.vault.account}`);
  remember(WHO, null);
}
