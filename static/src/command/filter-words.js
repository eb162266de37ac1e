// The filters that no chip of the queue shows, in words, each with its way out.

import {dayText, t} from '../lib/i18n.js';

/**
 * @param {import('./state.js').State} state
 * @param {{category: (code: string) => string | undefined, grid: (code: string) => string | undefined}} names
 * @param {(patch: Partial<import('./state.js').State>) => void} set
 * @returns {{text: string, clear: () => void}[]}
 */
export function filterWords({q, category, grid, from, to}, names, set) {
  const words = [];
  if (q) words.push({text: t('filter.text', {text: q}), clear: () => set({q: ''})});
  if (category) words.push({text: names.category(category) ?? t('filter.category', {code: category}), clear: () => set({category: ''})});
  if (grid) words.push({text: t('filter.grid', {code: names.grid(grid) ?? grid}), clear: () => set({grid: ''})});
  if (from) words.push({text: from === to ? dayText(from) : `${dayText(from)} – ${dayText(to)}`, clear: () => set({from: '', to: ''})});
  return words;
}
