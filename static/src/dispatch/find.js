// The one search box asks one question and gets results of several types.

import {getJson, urlOf} from '../lib/api.js';
import {hasText, t} from '../lib/i18n.js';

/** @typedef {import('../ui/search.js').Section} Section */

/** @param {string} text @returns {Promise<Section[]>} */
export async function findTyped(text) {
  const answer = await getJson(urlOf('/api/desk/search', {q: text}));
  return answer.map((/** @type {{type: string, items: any[]}} */ group) => ({
    title: hasText(`dispatch.found.${group.type}`) ? t(`dispatch.found.${group.type}`) : group.type,
    hits: group.items.map(item => ({kind_name: '', ...item})),
  }));
}
