// Cases that may be the same: side by side with photo, distance and age. Joining two is a
// step of the history and can be taken back.

import {getJson} from '../lib/api.js';
import {agoText, timeLeft} from '../lib/dates.js';
import {el, fill} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {distanceText} from '../lib/units.js';
import {openDialog} from '../ui/dialog.js';
import {errorNote, errorText, skeleton} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {openPhotos} from './photos.js';

/** @typedef {import('./rows.js').Row & {distance_m: number, age_s?: number, photo?: any, same_component?: boolean}} Twin */
/** @typedef {import('./case.js').CaseFile} CaseFile */

/** @param {string} id @param {{signal?: AbortSignal}} [options] @returns {Promise<Twin[]>} */
export async function duplicatesOf(id, options) {
  const answer = await getJson(`/api/desk/cases/${id}/duplicates`, options);
  return Array.isArray(answer) ? answer : answer.items;
}

/** @param {any} photo @returns {import('../ui/timeline.js').Photo | null} */
function photoOf(photo) {
  if (!photo) return null;
  if (typeof photo === 'string') return {id: photo, role: 'before', url: photo, thumb: photo};
  return {id: photo.id ?? photo.url, role: photo.role ?? 'before', role_name: photo.role_name, url: photo.url ?? photo.thumb, thumb: photo.thumb ?? photo.url};
}

/** @param {Twin} twin @param {number} now */
const whyOf = (twin, now) => [distanceText(twin.distance_m), agoText(twin.reported_at, now), twin.same_component ? t('dispatch.twin.component') : ''].filter(Boolean).join(' · ');

/**
 * A short list under the facts of a case.
 *
 * @param {Twin[]} twins
 * @param {{now: () => number, onCompare: (twin: Twin) => void}} options
 */
export function twinList(twins, {now, onCompare}) {
  return el('ul', {class: 'twins'}, ...twins.map(twin => {
    const photo = photoOf(twin.photo);
    const left = timeLeft(twin, now());
    return el('li', null, el('button', {type: 'button', class: 'twin', data: {id: twin.id}, onclick: () => onCompare(twin)},
      photo ? el('img', {class: 'twin-photo', src: photo.thumb, alt: '', loading: 'lazy'}) : el('span', {class: 'twin-photo twin-none'}, icon('photo-off')),
      el('span', {class: 'twin-words'}, el('b', {class: 'ellipsis'}, twin.category.name), el('span', {class: 'ellipsis'}, twin.address || twin.number), el('span', {class: 'muted small'}, whyOf(twin, now()))),
      el('span', {class: ['small', 'nowrap', `tone-${left.risk}`]}, twin.status_name)));
  }));
}

/**
 * Two cases beside each other, and what may be done with them.
 *
 * @param {{file: CaseFile, twins: Twin[] | null, first?: Twin, now: () => number, canMerge: boolean, onOpen: (id: string) => void,
 *   merge: (id: string, main: string) => Promise<void>}} options  merge: the first becomes part of the second
 */
export function openTwins({file, twins, first, now, canMerge, onOpen, merge}) {
  const body = el('div', {class: 'compare'});
  const problem = el('p', {class: 'form-error', role: 'alert', hidden: true});
  const dialog = openDialog({title: t('dispatch.twins'), class: 'dialog-compare', body: [body, problem]});

  async function load() {
    fill(body, skeleton(4));
    try {
      draw(twins ?? await duplicatesOf(file.id));
    } catch (error) {
      fill(body, errorNote(error, load));
    }
  }

  /** @param {Twin[]} list */
  function draw(list) {
    let at = Math.max(0, list.findIndex(twin => twin.id === first?.id));
    if (!list.length) {
      fill(body, el('p', {class: 'muted'}, t('dispatch.twins.none')));
      return;
    }
    const side = el('div', {class: 'compare-sides'});
    const tabs = el('div', {class: 'chips', role: 'group', 'aria-label': t('dispatch.twins.choose')});
    const acts = el('div', {class: 'form-actions'});
    const choose = (/** @type {number} */ place) => { at = place; show(); };
    const show = () => {
      const twin = list[at];
      fill(tabs, ...list.map((one, place) => el('button', {type: 'button', class: 'chip', 'aria-pressed': String(place === at), onclick: () => choose(place)}, one.number, ' · ', distanceText(one.distance_m))));
      fill(side, card(file, file.photos?.[0] ?? null, t('dispatch.twins.this'), ''), card(twin, photoOf(twin.photo), t('dispatch.twins.other'), whyOf(twin, now())));
      const button = (/** @type {string} */ label, /** @type {() => Promise<void> | void} */ act, isFirst = false) => el('button', {type: 'button', class: ['btn', isFirst && 'btn-primary'], onclick: (/** @type {Event} */ event) => run(/** @type {HTMLButtonElement} */ (event.currentTarget), act)}, label);
      fill(acts,
        canMerge && button(t('dispatch.twins.into', {number: twin.number}), () => merge(file.id, twin.id), true),
        canMerge && button(t('dispatch.twins.here', {number: twin.number}), () => merge(twin.id, file.id)),
        button(t('dispatch.twins.open'), () => onOpen(twin.id)));
    };
    fill(body, list.length > 1 && tabs, side, canMerge && el('p', {class: 'muted small'}, t('dispatch.twins.back')), acts);
    show();
    acts.querySelector('button')?.focus();
  }

  /** @param {HTMLButtonElement} button @param {() => Promise<void> | void} act */
  async function run(button, act) {
    button.disabled = true;
    problem.hidden = true;
    try {
      await act();
      dialog.close();
    } catch (error) {
      problem.textContent = errorText(error);
      problem.hidden = false;
      button.disabled = false;
      button.focus();
    }
  }

  /** @param {Twin | CaseFile} row @param {import('../ui/timeline.js').Photo | null} photo @param {string} title @param {string} why */
  const card = (row, photo, title, why) => el('section', {class: 'compare-card'},
    el('h3', null, title, why && el('span', {class: 'muted small'}, why)),
    photo ? el('button', {type: 'button', class: 'case-photo', 'aria-label': t('case.openPhoto', {role: title}), onclick: () => openPhotos([photo])}, el('img', {src: photo.url, alt: ''})) : el('div', {class: 'compare-none'}, icon('photo-off'), t('dispatch.noPhoto')),
    el('dl', {class: 'facts'}, ...[[t('case.number'), row.number], [t('case.what'), row.category.name], [t('case.where'), row.address || t('case.noAddress')], [t('case.status'), row.status_name],
      [t('case.reported'), agoText(row.reported_at, now())]].flatMap(([name, value]) => [el('dt', null, name), el('dd', null, value)])));

  load();
}
