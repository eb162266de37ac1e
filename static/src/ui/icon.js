// Icons of one set, as symbols of a sprite that is built with the page.

const NAMESPACE = 'http://www.w3.org/2000/svg';
const SPRITE = new URL(typeof __ICONS__ === 'string' ? __ICONS__ : 'icons.svg', import.meta.url).href;

/**
 * An icon named in `src/icons.json`. Without a label it is decoration.
 *
 * @param {string} name
 * @param {{label?: string, class?: string}} [options]
 */
export function icon(name, {label, class: extra} = {}) {
  const svg = document.createElementNS(NAMESPACE, 'svg');
  svg.setAttribute('class', extra ? `icon ${extra}` : 'icon');
  svg.setAttribute('viewBox', '0 0 24 24');
  if (label) {
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', label);
  } else {
    svg.setAttribute('aria-hidden', 'true');
  }
  const use = document.createElementNS(NAMESPACE, 'use');
  use.setAttribute('href', `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}
