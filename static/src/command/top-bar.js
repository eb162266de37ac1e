// The figures of the top bar; those that count cases open their list.

import {el, fill} from '../lib/dom.js';
import {compact, percent, t} from '../lib/i18n.js';

/** @typedef {{open: number, late: number, reported_today: number, on_time_month: number | null, on_duty: number, as_of: string}} Summary */

/**
 * @param {HTMLElement} host
 * @param {{onOpen: (figure: 'open' | 'late' | 'reported_today' | 'on_time_month') => void}} options
 */
export function createFigures(host, {onOpen}) {
  const figures = /** @type {const} */ (['open', 'late', 'reported_today', 'on_time_month', 'on_duty']);
  const values = new Map(figures.map(name => [name, el('b', {class: 'figure-value'}, '–')]));
  fill(host, ...figures.map(name => {
    const parts = [el('span', {class: 'figure-label'}, t(`figure.${name}`)), values.get(name)];
    const look = {class: `figure figure-${name}`};
    return name === 'on_duty' ? el('div', look, ...parts) : el('button', {...look, type: 'button', onclick: () => onOpen(name)}, ...parts);
  }));

  return {
    /** @param {Summary | null} summary @param {boolean} isFailed */
    show(summary, isFailed) {
      host.classList.toggle('is-stale', isFailed);
      if (!summary) return;
      for (const name of figures) {
        const text = name === 'on_time_month' ? percent(summary.on_time_month) : compact(summary[name]);
        const node = values.get(name);
        if (node && node.textContent !== text) {
          node.textContent = text;
          node.classList.remove('is-changed');
          // Reading a size makes the browser forget the running animation, so that it runs again.
          void node.offsetWidth;
          node.classList.add('is-changed');
        }
      }
    },
  };
}
