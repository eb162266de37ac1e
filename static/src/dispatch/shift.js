// The figures of the shift, small and quiet; each opens its list.

import {el, fill} from '../lib/dom.js';
import {compact, t} from '../lib/i18n.js';

const NAMES = /** @type {const} */ (['done', 'waiting', 'late']);

/**
 * @param {HTMLElement} host
 * @param {{onOpen: (figure: typeof NAMES[number]) => void}} options
 */
export function createShift(host, {onOpen}) {
  const values = new Map(NAMES.map(name => [name, el('b', null, '–')]));
  fill(host, ...NAMES.map(name => el('button', {type: 'button', class: `shift-figure shift-${name}`, title: t(`dispatch.shift.${name}.hint`), onclick: () => onOpen(name)}, el('span', null, t(`dispatch.shift.${name}`)), values.get(name))));
  return {
    /** @param {Partial<Record<typeof NAMES[number], number>>} figures @param {boolean} isFailed */
    show(figures, isFailed) {
      host.classList.toggle('is-stale', isFailed);
      for (const name of NAMES) {
        const node = values.get(name);
        if (node && typeof figures[name] === 'number') node.textContent = compact(figures[name]);
      }
    },
  };
}
