// The questions and notices of a category: the server draws them, this file fetches them again
// when another category is chosen and keeps what was answered.

import {urlOf} from '../lib/api.js';

const PREFIX = 'q_';

/**
 * @param {HTMLFormElement} form  holds `#asked`, the server's piece
 * @param {{kind?: string, kept?: Record<string, string>}} [options]  `kept`: answers of a draft
 */
export function bindQuestions(form, {kind = 'matter', kept = {}} = {}) {
  let turn = 0;
  /** A matter and a component share their digits. */
  let shown = kind;
  const host = () => /** @type {HTMLElement | null} */ (form.querySelector('#asked'));

  /** The answers that were given. @returns {Record<string, string>} */
  function answers() {
    const found = [...new FormData(form)].filter(([name, value]) => name.startsWith(PREFIX) && typeof value === 'string' && value);
    return Object.fromEntries(found.map(([name, value]) => [name, String(value)]));
  }

  /** @param {Record<string, string>} values */
  function restore(values) {
    for (const [name, value] of Object.entries(values)) {
      if (!name.startsWith(PREFIX)) continue;
      const radio = form.querySelector(`input[name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`);
      if (radio instanceof HTMLInputElement) radio.checked = true;
    }
  }

  /** Answers that are put back as soon as their questions are shown. @param {Record<string, string>} values */
  function keep(values) {
    kept = values;
    restore(values);
  }

  /** Show what belongs to a category; without a network the form goes on without. @param {string} category @param {string} [of]  its kind */
  async function show(category, of = kind) {
    const place = host();
    if (!place || (place.dataset.category === category && shown === of)) return;
    shown = of;
    const mine = (turn += 1);
    const given = {...kept, ...answers()};
    try {
      const answer = await fetch(urlOf('/questions', {category, kind: of}), {headers: {Accept: 'text/html'}, credentials: 'same-origin'});
      if (!answer.ok) return;
      const next = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('#asked');
      if (mine !== turn || !next) return;
      host()?.replaceWith(document.adoptNode(next));
      restore(given);
    } catch { /* a help, no condition: the desk can ask */ }
  }

  /** The answers by the names of the questions, as the API takes them. @returns {Record<string, string>} */
  const named = () => Object.fromEntries(Object.entries(answers()).map(([name, value]) => [name.slice(PREFIX.length), value]));

  return {show, keep, answers, named};
}
