// What the colours of the map mean, and what lies under the pointer.

import {el, fill} from '../lib/dom.js';
import {number, t} from '../lib/i18n.js';
import {onTheme} from '../lib/theme.js';
import {SUPPRESSED, classesOf, rampColours} from '../map/choropleth.js';

/** @param {number | string | undefined} value */
const text = value => (typeof value === 'number' ? number(value) : t(value === SUPPRESSED ? 'counts.withheld' : 'counts.notGiven'));

/**
 * @param {HTMLElement} host
 * @param {{values: Record<string, number | string>, breaks: number[]}} counts
 * @param {{title?: string, write?: (value: number) => string}} [words]  what the figures are, and how one is written
 */
export function createKey(host, {values, breaks}, {title = t('counts.key'), write = value => number(Math.round(value))} = {}) {
  const found = Object.values(values);
  const hasNumbers = found.some(value => typeof value === 'number');
  function draw() {
    const colours = rampColours();
    host.hidden = !found.length;
    fill(host,
      el('b', null, title),
      hasNumbers && el('ul', null, ...classesOf(breaks).filter(one => one.to > 0).map(one => el('li', null,
        el('i', {style: {background: colours[one.step]}}), one.from === one.to || one.from === 0 ? write(one.to) : `${write(one.from)} – ${write(one.to)}`))),
      found.includes(SUPPRESSED) && el('p', {class: 'small'}, el('i', {class: 'hatch'}), t('counts.withheld')),
      !hasNumbers && el('p', {class: 'muted small'}, t('counts.nothingTold')));
  }
  draw();
  onTheme(draw);
}

/** @param {HTMLElement} host @param {(value: number | string | undefined) => string} [write] */
export function createTip(host, write = text) {
  return {
    /** @param {{x: number, y: number, name: string, value: number | string | undefined} | null} hit */
    show(hit) {
      host.hidden = !hit;
      if (!hit) return;
      fill(host, el('b', null, hit.name), el('span', null, write(hit.value)));
      host.style.left = `${hit.x + 14}px`;
      host.style.top = `${hit.y + 14}px`;
    },
  };
}
