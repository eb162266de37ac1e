// The menu of all pages of the caller, with what waits on each. A transfer of 110 waits for
// seconds only, so whoever sits before the map or the desk is told as it comes.

import {getJson} from '../lib/api.js';
import {el, fill} from '../lib/dom.js';
import {number, t} from '../lib/i18n.js';
import {icon} from './icon.js';

/** @typedef {{name: string, items: {href: string, icon: string, label: string}[]}} Group */
/** @typedef {{href: string, count: number, pressing: boolean}} Waiting */
/** @typedef {(text: string, options: {tone: import('./toast.js').Tone, way: import('./toast.js').Way}) => void} Toast */

const EVERY_MS = 20_000;
const MOST_SHOWN = 99;

/**
 * @param {HTMLElement} button what opens the menu; gets a badge of what waits
 * @param {{groups: Group[], toast: Toast}} options
 */
export function createPlaces(button, {groups, toast}) {
  const menu = el('nav', {class: 'pages-menu', hidden: true, 'aria-label': t('places.open')});
  const host = el('div', {class: 'pages'}, button, menu);
  const badge = el('b', {class: 'rail-badge', hidden: true});
  button.append(badge);
  button.setAttribute('aria-expanded', 'false');
  button.addEventListener('click', () => show(Boolean(menu.hidden)));
  /** @type {Map<string, Waiting>} */
  let waiting = new Map();
  let isKnown = false;

  /** @param {boolean} isOpen */
  function show(isOpen) {
    menu.hidden = !isOpen;
    button.setAttribute('aria-expanded', String(isOpen));
    if (isOpen) { draw(); void load(); }
  }

  function draw() {
    fill(menu, ...groups.map(group => el('section', null, el('h2', null, group.name), ...group.items.map(item => {
      const found = waiting.get(item.href);
      return el('a', {href: item.href, 'aria-current': item.href === location.pathname ? 'page' : null}, icon(item.icon), el('span', null, item.label),
        found && found.count > 0 && el('b', {class: ['pages-count', found.pressing && 'is-pressing']}, number(found.count)));
    }))));
  }

  /** @param {Waiting[]} items */
  function hear(items) {
    const before = waiting;
    waiting = new Map(items.map(item => [item.href, item]));
    const sum = items.reduce((total, item) => total + item.count, 0);
    badge.hidden = sum === 0;
    badge.textContent = sum > MOST_SHOWN ? `${MOST_SHOWN}+` : String(sum);
    badge.classList.toggle('is-pressing', items.some(item => item.pressing && item.count > 0));
    button.setAttribute('aria-label', sum ? t('places.waiting', {n: sum}) : t('places.open'));
    for (const item of items) {
      const isMore = item.count > (isKnown ? before.get(item.href)?.count ?? 0 : 0);
      if (!item.pressing || !isMore) continue;
      toast(t('places.pressing', {label: labelOf(item.href), n: item.count}), {tone: 'late', way: {label: t('places.go'), run: () => location.assign(item.href)}});
    }
    isKnown = true;
    if (!menu.hidden) draw();
  }

  const labelOf = (/** @type {string} */ href) => groups.flatMap(group => group.items).find(item => item.href === href)?.label ?? href;

  async function load() {
    try {
      hear((await getJson('/api/waiting')).items);
    } catch {
      // What waits is told again in a moment; that the server is away is said by the page itself.
    }
  }

  document.addEventListener('pointerdown', event => {
    if (!menu.hidden && !host.contains(/** @type {Node} */ (event.target))) show(false);
  });
  host.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || menu.hidden) return;
    event.stopPropagation();
    show(false);
    button.focus();
  });
  void load();
  setInterval(load, EVERY_MS);

  return {host, load};
}

/** Close the menus of the HTML by a press beside them and by Escape. */
export function bindPlaces() {
  const open = () => /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll('details[data-places][open]'));
  document.addEventListener('pointerdown', event => {
    for (const menu of open()) if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
  });
  document.addEventListener('keydown', event => {
    if (event.key !== 'Escape') return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector('summary')?.focus();
    }
  });
}
