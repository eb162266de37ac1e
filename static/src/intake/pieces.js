// Pieces of the page that the server draws: asked for again when what they depend on changes.

import {find} from '../lib/dom.js';

/** Put a server's piece in the place of the one with the same id. @param {string} html @param {string} id */
export function swap(html, id) {
  const next = new DOMParser().parseFromString(html, 'text/html').getElementById(id);
  if (!next) return null;
  const node = document.adoptNode(next);
  find(`#${id}`).replaceWith(node);
  return /** @type {HTMLElement} */ (node);
}

/**
 * Something that is asked for anew; only the last answer counts. Without a network the call
 * goes on: what is shown here helps, it is no condition.
 *
 * @param {string} id
 */
export function createPiece(id) {
  const empty = find(`#${id}`).cloneNode(true);
  let turn = 0;
  let last = '';

  /** @param {string} key  what it is about @param {() => [string, RequestInit?]} request @returns {Promise<HTMLElement | null>} */
  async function load(key, request) {
    if (key === last) return null;
    last = key;
    const mine = (turn += 1);
    const [url, init] = request();
    try {
      const answer = await fetch(url, {credentials: 'same-origin', ...init, headers: {Accept: 'text/html', ...init?.headers}});
      if (mine !== turn) return null;
      if (!answer.ok) { last = ''; return null; }
      return swap(await answer.text(), id);
    } catch {
      if (mine === turn) last = '';
      return null;
    }
  }

  function clear() {
    turn += 1;
    last = '';
    find(`#${id}`).replaceWith(empty.cloneNode(true));
  }
  return {load, clear};
}
