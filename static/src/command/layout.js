// Where the panels of the page stand, and how much of the map they cover.

import {el, fill} from '../lib/dom.js';

/** @param {{left: HTMLElement, right: HTMLElement, side: HTMLElement}} hosts */
export function layOut({left, right, side}) {
  const layers = el('section', {class: 'panel layers'});
  const legend = el('section', {class: 'panel legend'});
  const card = el('section', {class: 'panel grid-card', hidden: true});
  const feature = el('section', {class: 'panel feature-card', hidden: true});
  const queue = el('div', {class: 'queue'});
  const file = el('section', {class: 'file', hidden: true});
  fill(left, layers, legend);
  fill(right, card, feature);
  fill(side, queue, file);

  /** Show or hide a panel; without a wish, the other of the two. @param {'layers' | 'queue'} name @param {boolean} [wish] */
  function show(name, wish) {
    if (name === 'layers') {
      layers.hidden = wish === undefined ? !layers.hidden : !wish;
      return !layers.hidden;
    }
    const isHidden = document.body.classList.toggle('is-wide', wish === undefined ? undefined : !wish);
    return !isHidden;
  }

  const width = (/** @type {HTMLElement} */ node) => (node.hidden ? 0 : node.offsetWidth);

  return {
    layers, legend, card, feature, queue, file, show,
    padding: () => ({left: width(layers) ? width(layers) + 12 : 0, top: 0, right: width(card) ? width(card) + 12 : 0, bottom: 0}),
    /** The part of the map that the cards on the right cover. */
    coverOf: () => {
      const [map, cover] = [right.parentElement?.getBoundingClientRect(), card.getBoundingClientRect()];
      if (!map || card.hidden) return {left: Infinity, top: 0, right: 0, bottom: 0};
      return {left: cover.left - map.left, top: cover.top - map.top, right: cover.right - map.left, bottom: Math.max(cover.bottom - map.top, 420)};
    },
    whenLaidOut: (/** @type {() => void} */ run) => requestAnimationFrame(() => requestAnimationFrame(run)),
    /** @param {{canvas: HTMLElement}} marks @param {boolean} isOn */
    toggleMarks: (marks, isOn) => { marks.canvas.hidden = !isOn; },
  };
}
