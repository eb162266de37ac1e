// The one search box asks one question and gets results of several types.

import {getJson, urlOf} from '../lib/api.js';
import {hasText, t} from '../lib/i18n.js';

/** @typedef {import('../ui/search.js').Section} Section */

const NUMBER = /^\d{8}-\d{6}$/;

/** The case that has this number, where the words are one. @param {string} text @returns {Promise<string | null>} */
export async function numbered(text) {
  if (!NUMBER.test(text)) return null;
  const answer = await getJson(urlOf('/api/desk/search', {q: text})).catch(() => []);
  const cases = answer.find((/** @type {{type: string}} */ group) => group.type === 'case')?.items ?? [];
  return cases.length === 1 ? cases[0].id : null;
}

/** @param {string} text @returns {Promise<Section[]>} */
export async function findTyped(text) {
  const answer = await getJson(urlOf('/api/desk/search', {q: text}));
  return answer.map((/** @type {{type: string, items: any[]}} */ group) => ({
    title: hasText(`dispatch.found.${group.type}`) ? t(`dispatch.found.${group.type}`) : group.type,
    hits: group.items.map(item => ({kind_name: '', ...item})),
  }));
}
