// The history of a case, the newest step on top: who, when, why, with photos.

import {el} from '../lib/dom.js';
import {dateText, hasText, t} from '../lib/i18n.js';
import {icon} from './icon.js';
import {actionIcon} from './signs.js';

/** @typedef {{id: string, role: string, role_name?: string, url: string, thumb: string, width?: number, height?: number}} Photo */
/** @typedef {{seq: number, action: string, action_name: string, from: string | null, to: string, to_name?: string, actor: string, role: string, at: string, device_at?: string | null, note: string | null, photos: (string | Photo)[]}} Event */

/** A smaller difference between the clocks of device and server is not worth a word. */
const CLAIM_MS = 120_000;

/** What a photo shows, in words. @param {Photo} photo */
export const roleOf = photo => photo.role_name ?? (hasText(`photo.${photo.role}`) ? t(`photo.${photo.role}`) : photo.role);

/** The time that the device claimed, where it is not the server's. @param {Event} event */
function claimOf(event) {
  if (!event.device_at || Math.abs(Date.parse(event.device_at) - Date.parse(event.at)) < CLAIM_MS) return null;
  return ` · ${t('case.claimed', {at: dateText(event.device_at)})}`;
}

/**
 * @param {{photos?: Photo[], events?: Event[]}} file
 * @param {{openPhoto?: (photo: Photo) => void}} [options]  without it a photo is only a picture
 */
export function timelineOf({photos = [], events = []}, {openPhoto} = {}) {
  const known = new Map(photos.map(photo => [photo.id, photo]));

  /** @param {string | Photo} named */
  function thumb(named) {
    const photo = typeof named === 'string' ? known.get(named) : named;
    if (!photo) return null;
    const picture = el('img', {class: 'event-photo', src: photo.thumb || photo.url, alt: openPhoto ? '' : roleOf(photo), loading: 'lazy'});
    return openPhoto ? el('button', {type: 'button', class: 'event-open', 'aria-label': t('case.openPhoto', {role: roleOf(photo)}), onclick: () => openPhoto(photo)}, picture) : picture;
  }

  /** @param {Event} event @param {number} place */
  const step = (event, place) => el('li', {class: place === 0 ? 'is-last' : null, data: {action: event.action}},
    el('span', {class: 'event-sign'}, icon(actionIcon(event.action, 'point'))),
    el('div', {class: 'event-body'},
      el('p', {class: 'event-line'}, el('b', null, event.action_name), el('time', {class: 'muted small', datetime: event.at}, dateText(event.at))),
      el('p', {class: 'muted small'}, [event.role, event.actor].filter(Boolean).join(' · '), claimOf(event)),
      event.note && el('p', {class: 'event-note'}, event.note),
      event.photos?.length > 0 && el('div', {class: 'event-photos'}, ...event.photos.map(thumb))));

  return el('ol', {class: 'timeline'}, ...[...events].reverse().map(step));
}
