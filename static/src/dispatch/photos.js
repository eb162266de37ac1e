// Photos side by side, before and after, and a closer look at both at once.

import {el, fill, styles} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {openDialog} from '../ui/dialog.js';
import {icon} from '../ui/icon.js';
import {roleOf} from '../ui/timeline.js';

/** @typedef {import('../ui/timeline.js').Photo} Photo */

const CLOSEST = 6;
const STEP = 1.4;
const PAN_PX = 60;

/** @param {Photo[]} photos */
const byPart = photos => ({before: photos.filter(photo => photo.role !== 'after'), after: photos.filter(photo => photo.role === 'after')});

/** The photos of a case: the first of before and after large, the others below. @param {Photo[]} photos */
export function photosOf(photos) {
  if (!photos?.length) return null;
  const {before, after} = byPart(photos);
  const tile = (/** @type {Photo} */ photo) => el('button', {type: 'button', class: 'case-photo', 'aria-label': t('case.openPhoto', {role: roleOf(photo)}), onclick: () => openPhotos(photos, photo)},
    el('img', {src: photo.thumb || photo.url, alt: '', loading: 'lazy'}), el('span', null, roleOf(photo)));
  const [large, small] = before.length && after.length
    ? [[before[0], after[after.length - 1]], [...before.slice(1), ...after.slice(0, -1)]]
    : [photos.slice(0, 2), photos.slice(2)];
  return el('div', {class: 'photos'},
    el('div', {class: ['case-photos', large.length === 1 && 'is-one']}, ...large.map(tile)),
    small.length > 0 && el('div', {class: 'case-photos is-small'}, ...small.map(tile)));
}

/** Look closely; both halves of a pair move together. @param {Photo[]} photos @param {Photo} [first] */
export function openPhotos(photos, first = photos[0]) {
  const {before, after} = byPart(photos);
  const isPair = before.length > 0 && after.length > 0;
  let [left, right] = first.role === 'after' ? [before[0] ?? first, first] : [first, after[after.length - 1] ?? null];
  let isBoth = isPair;
  let at = photos.indexOf(first);
  let [zoom, x, y] = [1, 0, 0];
  const stage = el('div', {class: 'viewer', tabindex: '0', role: 'group', 'aria-label': t('dispatch.photos')});
  const level = el('span', {class: 'muted', 'aria-live': 'polite'});
  const both = el('button', {type: 'button', class: 'btn btn-small', hidden: !isPair, onclick: () => { isBoth = !isBoth; draw(); }}, icon('columns-3'), t('dispatch.photos.both'));
  const button = (/** @type {string} */ sign, /** @type {string} */ label, /** @type {() => void} */ act) => el('button', {type: 'button', class: 'icon-btn', 'aria-label': label, title: label, onclick: act}, icon(sign));
  const dialog = openDialog({
    title: t('dispatch.photos'), class: 'dialog-photos',
    body: [el('div', {class: 'viewer-bar'}, both, el('span', {class: 'spacer'}), level,
      button('zoom-out', t('map.out'), () => grow(1 / STEP)), button('zoom-in', t('map.in'), () => grow(STEP)),
      photos.length > 1 && button('chevron-left', t('dispatch.photos.previous'), () => turn(-1)), photos.length > 1 && button('chevron-right', t('dispatch.photos.next'), () => turn(1))), stage],
  });

  function draw() {
    both.setAttribute('aria-pressed', String(isBoth));
    const shown = isBoth && right ? [left, right] : [photos[at]];
    fill(stage, ...shown.map(photo => el('figure', {class: 'viewer-photo'}, el('img', {src: photo.url, alt: roleOf(photo), draggable: 'false'}), el('figcaption', null, roleOf(photo)))));
    place();
  }

  function place() {
    level.textContent = `${Math.round(zoom * 100)} %`;
    for (const image of stage.querySelectorAll('img')) styles(image, {transform: `translate(${x}px, ${y}px) scale(${zoom})`});
  }

  /** @param {number} by */
  function grow(by) {
    zoom = Math.max(1, Math.min(CLOSEST, zoom * by));
    if (zoom === 1) [x, y] = [0, 0];
    place();
  }

  /** @param {number} dx @param {number} dy */
  function pan(dx, dy) {
    if (zoom === 1) return;
    const room = stage.clientWidth * zoom / 2;
    [x, y] = [Math.max(-room, Math.min(room, x + dx)), Math.max(-room, Math.min(room, y + dy))];
    place();
  }

  /** @param {number} by */
  function turn(by) {
    at = (at + by + photos.length) % photos.length;
    const photo = photos[at];
    if (photo.role === 'after') right = photo;
    else left = photo;
    draw();
  }

  stage.addEventListener('wheel', event => { event.preventDefault(); grow(event.deltaY < 0 ? STEP : 1 / STEP); }, {passive: false});
  stage.addEventListener('pointermove', event => { if (event.buttons & 1) pan(event.movementX, event.movementY); });
  stage.addEventListener('dblclick', () => grow(zoom > 1 ? 1 / CLOSEST : 2));
  dialog.element.addEventListener('keydown', event => {
    const moves = /** @type {Record<string, () => void>} */ ({
      '+': () => grow(STEP), '=': () => grow(STEP), '-': () => grow(1 / STEP), 0: () => grow(1 / CLOSEST),
      ArrowLeft: () => (zoom > 1 ? pan(PAN_PX, 0) : turn(-1)), ArrowRight: () => (zoom > 1 ? pan(-PAN_PX, 0) : turn(1)), ArrowUp: () => pan(0, PAN_PX), ArrowDown: () => pan(0, -PAN_PX),
    });
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  });
  draw();
  stage.focus();
}
