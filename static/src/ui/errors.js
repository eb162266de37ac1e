// What an error says to a person: what happened, why, what to do, and its id.

import {ApiError} from '../lib/api.js';
import {hasText, t} from '../lib/i18n.js';
import {el} from '../lib/dom.js';
import {icon} from './icon.js';

/** The words of an error. The server's own words come in the reader's language. @param {unknown} error */
export function errorText(error) {
  if (!(error instanceof ApiError)) return t('error.unknown', {code: error instanceof Error ? error.message : String(error)});
  if (error.detail) return error.detail;
  if (hasText(`error.${error.code}`)) return t(`error.${error.code}`);
  if (error.status >= 500) return t('error.http.500');
  return t('error.unknown', {code: error.code});
}

/**
 * A place that shows what went wrong and offers the next step.
 *
 * @param {unknown} error
 * @param {(() => void) | null} [retry]
 */
export function errorNote(error, retry) {
  const forbidden = error instanceof ApiError && error.status === 403;
  return el('div', {class: ['note', forbidden ? 'note-locked' : 'note-error'], role: 'alert'},
    icon(forbidden ? 'lock' : 'alert-triangle'),
    el('div', {class: 'note-body'},
      el('p', null, errorText(error)),
      error instanceof ApiError && error.id && el('p', {class: 'muted small'}, t('error.id', {id: error.id})),
      error instanceof ApiError && error.status === 401
        && el('a', {class: 'btn btn-small', href: `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`}, icon('login-2'), t('action.signIn')),
      retry && !forbidden && el('button', {type: 'button', class: 'btn btn-small', onclick: retry}, icon('refresh'), t('action.retry'))));
}

/** @param {string} iconName @param {string} text @param {string} [hint] */
export function emptyNote(iconName, text, hint) {
  return el('div', {class: 'note note-empty'}, icon(iconName),
    el('div', {class: 'note-body'}, el('p', null, text), hint && el('p', {class: 'muted small'}, hint)));
}

/** Grey bars in the shape of what is coming. @param {number} rows @param {string} [kind] */
export function skeleton(rows, kind = 'row') {
  return el('div', {class: 'skeletons', 'aria-hidden': 'true'},
    ...Array.from({length: rows}, () => el('div', {class: `skeleton skeleton-${kind}`}, el('i'), el('i'), el('i'))));
}

const ONCE_MS = 400;

/** Nothing that goes wrong in script stays unseen; several at once are told as one. @param {(text: string) => void} tell */
export function watchErrors(tell) {
  let last = 0;
  addEventListener('unhandledrejection', event => {
    if (Date.now() - last > ONCE_MS) tell(errorText(event.reason));
    last = Date.now();
  });
}
