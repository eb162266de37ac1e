// What a phone keeps for the time without a network: sealed with a key that no script can read
// out (AES-GCM, not extractable), one key for each account of the phone. Somebody else who signs
// in on the same phone can neither read nor send what is kept here.

/** @typedef {{id: string, kind: 'visit' | 'check' | 'draft' | 'package', account: number, at: string, [name: string]: any}} Meta */
/** @typedef {{key: string, type: string, bytes: ArrayBuffer}} Shot */
/** @typedef {Meta & {body: any, shots: Shot[]}} Thing */

const NAME = 'wangge-phone';
const VERSION = 1;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** @returns {Promise<IDBDatabase>} */
function open() {
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('keys', {keyPath: 'account'});
    request.result.createObjectStore('things', {keyPath: 'id'});
  };
  return done(request);
}

/** @param {IDBDatabase} db @param {number} account @returns {Promise<CryptoKey>} */
async function keyOf(db, account) {
  const found = await done(db.transaction('keys').objectStore('keys').get(account));
  if (found) return found.key;
  const key = await crypto.subtle.generateKey({name: 'AES-GCM', length: 256}, false, ['encrypt', 'decrypt']);
  // `add` and not `put`: of two tabs that make a key at once the first one's stays.
  await done(db.transaction('keys', 'readwrite').objectStore('keys').add({account, key})).catch(() => null);
  return (await done(db.transaction('keys').objectStore('keys').get(account))).key;
}

/**
 * Open what is kept for an account. Rejects where the browser keeps nothing (private mode).
 *
 * @param {number} account
 */
export async function openVault(account) {
  const db = await open();
  const key = await keyOf(db, account);
  const text = new TextEncoder();

  /** @param {BufferSource} bytes */
  async function seal(bytes) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    return {iv, data: await crypto.subtle.encrypt({name: 'AES-GCM', iv}, key, bytes)};
  }

  /** @param {{iv: BufferSource, data: BufferSource}} sealed */
  const unseal = ({iv, data}) => crypto.subtle.decrypt({name: 'AES-GCM', iv}, key, data);

  /** Keep a thing; `meta` alone stays readable. @param {Omit<Meta, 'account'>} meta @param {any} body @param {Shot[]} [shots] */
  async function put(meta, body, shots = []) {
    const sealed = await seal(text.encode(JSON.stringify(body)));
    const kept = await Promise.all(shots.map(async one => ({key: one.key, type: one.type, ...await seal(one.bytes)})));
    const row = {...meta, account, sealed, shots: kept};
    const transaction = db.transaction('things', 'readwrite', {durability: 'strict'});
    await done(transaction.objectStore('things').put(row));
  }

  /** Change what stays readable, for instance why it was refused. @param {string} id @param {Record<string, any>} change */
  async function mark(id, change) {
    const store = db.transaction('things', 'readwrite', {durability: 'strict'}).objectStore('things');
    const row = await done(store.get(id));
    if (row) await done(store.put({...row, ...change}));
  }

  /** @param {string} id @returns {Promise<Thing | null>} */
  async function get(id) {
    const row = await done(db.transaction('things').objectStore('things').get(id));
    if (!row || row.account !== account) return null;
    const {sealed, shots, ...meta} = row;
    const body = JSON.parse(new TextDecoder().decode(await unseal(sealed)));
    return {...meta, body, shots: await Promise.all(shots.map(async (/** @type {any} */ one) => ({key: one.key, type: one.type, bytes: await unseal(one)})))};
  }

  /** What is kept of a kind, the oldest first, without what is sealed. @param {Meta['kind']} kind @returns {Promise<Meta[]>} */
  async function list(kind) {
    const rows = await done(db.transaction('things').objectStore('things').getAll());
    return rows.filter(row => row.kind === kind && row.account === account)
      .map(row => { const {sealed, shots, ...meta} = row; return sealed && shots && meta; })
      .sort((a, b) => a.at.localeCompare(b.at));
  }

  /** @param {string} id */
  const remove = id => done(db.transaction('things', 'readwrite').objectStore('things').delete(id));

  return {account, put, mark, get, list, remove};
}

/** @typedef {Awaited<ReturnType<typeof openVault>>} Vault */
