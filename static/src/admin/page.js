// Another state of a page, as the server renders it.

/** @param {string} url @param {AbortSignal} [signal] @returns {Promise<Document>} */
export async function pageAt(url, signal) {
  const answer = await fetch(url, {headers: {Accept: 'text/html'}, credentials: 'same-origin', signal});
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), 'text/html');
}

/** Put an element of another state in the place of ours. @param {Document} page @param {string} selector @returns {boolean} */
export function take(page, selector) {
  const next = page.querySelector(selector);
  const shown = document.querySelector(selector);
  if (!next || !shown) return false;
  shown.replaceWith(document.adoptNode(next));
  return true;
}
