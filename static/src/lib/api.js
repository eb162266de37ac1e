// Requests to our own server. Errors carry the stable code of the problem document
// (RFC 9457): callers branch on it, never on words.

export class ApiError extends Error {
  /**
   * @param {{status: number, code: string, detail?: string, title?: string, id?: string, errors?: {field: string, message: string}[]}} problem
   */
  constructor(problem) {
    super(problem.detail || problem.title || problem.code);
    this.name = 'ApiError';
    this.status = problem.status;
    this.code = problem.code;
    this.detail = problem.detail || problem.title || '';
    this.id = problem.id || '';
    this.errors = problem.errors || [];
  }

  /** No answer came, or one that says "not now": the same request may be sent again. */
  get isTemporary() {
    return this.status === 0 || this.status === 408 || this.status === 425 || this.status === 429 || this.status >= 500;
  }
}

const csrfToken = () =>
  document.querySelector('meta[name="csrf-token"]')?.getAttribute('content') ?? '';

/** @param {Response} response @returns {Promise<ApiError>} */
async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  return new ApiError({...body, status: response.status, code: body.code || `http.${response.status}`});
}

/** The answer to a sensitive act when the last proof of identity is too old. */
const NEEDS_PROOF = 'sign_in.step_up';

/** Ask who is there; the dialog is loaded with the first such answer. @returns {Promise<boolean>} */
async function proved() {
  const {confirmIdentity} = await import('./confirm.js');
  return confirmIdentity();
}

/**
 * @param {string} url
 * @param {RequestInit} init
 * @param {boolean} [mayAsk]  for a fresh proof of identity, after which the request is repeated
 * @returns {Promise<any>}
 */
async function request(url, init, mayAsk = typeof document !== 'undefined') {
  let response;
  try {
    response = await fetch(url, {credentials: 'same-origin', ...init});
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError({status: 0, code: 'network.unreachable'});
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (problem.code === NEEDS_PROOF && mayAsk && await proved()) return request(url, init, false);
    throw problem;
  }
  if (response.status === 204) return null;
  const type = response.headers.get('content-type') ?? '';
  if (response.redirected && !type.includes('json')) throw new ApiError({status: 401, code: 'auth.required'});
  return type.includes('json') ? response.json() : response.text();
}

/**
 * @param {string} url
 * @param {{signal?: AbortSignal}} [options]
 */
export function getJson(url, {signal} = {}) {
  return request(url, {headers: {Accept: 'application/json'}, signal});
}

/**
 * @param {'POST' | 'PUT' | 'PATCH' | 'DELETE'} method
 * @param {string} url
 * @param {unknown} [body]
 * @param {{signal?: AbortSignal}} [options]
 */
export function sendJson(method, url, body, {signal} = {}) {
  return request(url, {
    method,
    signal,
    headers: {Accept: 'application/json', 'Content-Type': 'application/json', 'X-CSRF-Token': csrfToken()},
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

/**
 * Store a file under the hash of its content; sending it twice is harmless.
 *
 * @param {string} base  for instance `/api/blobs`
 * @param {Blob} file
 * @returns {Promise<{sha256: string, width?: number, height?: number}>}
 */
export async function sendBlob(base, file) {
  const bytes = await file.arrayBuffer();
  const hash = await sha256(bytes);
  return request(`${base}/${hash}`, {
    method: 'PUT',
    headers: {
      Accept: 'application/json',
      'Content-Type': file.type || 'application/octet-stream',
      'X-CSRF-Token': csrfToken(),
    },
    body: bytes,
  });
}

/** @param {ArrayBuffer} bytes */
async function sha256(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Address with query; empty values are left out.
 *
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} query
 */
export function urlOf(path, query) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

/**
 * Repeat a harmless request while the failure is temporary, waiting longer each time.
 *
 * @template T
 * @param {() => Promise<T>} send
 * @param {{tries?: number, wait?: (ms: number) => Promise<unknown>}} [options]
 * @returns {Promise<T>}
 */
export async function retrying(send, {tries = 4, wait = pause} = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof ApiError) || !error.isTemporary || attempt >= tries) throw error;
      await wait(400 * 2 ** (attempt - 1));
    }
  }
}

const pause = (/** @type {number} */ ms) => new Promise(resolve => setTimeout(resolve, ms));
