// Spans of time as people at a desk read them: 0:42, 3:10, 2 days.

import {cityZone, t} from './i18n.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How far the clocks of a zone are ahead of UTC at an instant. @param {number} at @param {string} zone */
function aheadMs(at, zone) {
  const format = new Intl.DateTimeFormat('en-CA', {timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit'});
  const part = Object.fromEntries(format.formatToParts(at).map(({type, value}) => [type, value]));
  return Date.parse(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}Z`) - at;
}

/**
 * The instant that a field of day and time means: the city's clock, wherever the screen stands.
 *
 * @param {string} text  YYYY-MM-DDTHH:MM
 */
export function cityInstant(text, zone = cityZone()) {
  const wall = Date.parse(`${text}Z`);
  const guess = wall - aheadMs(wall, zone);
  return new Date(wall - aheadMs(guess, zone)).toISOString();
}

/** A span below one day as h:mm; from one day on as whole days. @param {number} ms */
export function spanText(ms) {
  const span = Math.max(0, ms);
  if (span >= DAY) return t('span.days', {n: Math.floor(span / DAY)});
  const minutes = Math.floor(span / MINUTE);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
}

/** @typedef {'late' | 'soon' | 'ok' | 'paused' | 'done'} Risk */

/**
 * How long a case has left, in words; the risk itself is the server's judgement
 * (it knows the calendar), but a limit that has passed since then is late.
 *
 * @param {{due_at: string | null, risk: Risk}} row
 * @param {number} now  milliseconds
 * @returns {{risk: Risk, text: string}}
 */
export function timeLeft(row, now) {
  if (row.risk === 'done' || row.risk === 'paused') return {risk: row.risk, text: t(`due.${row.risk}`)};
  if (!row.due_at) return {risk: row.risk, text: t('due.none')};
  const left = Date.parse(row.due_at) - now;
  if (left < 0) return {risk: 'late', text: t('due.late', {span: spanText(-left)})};
  return {risk: row.risk === 'late' ? 'soon' : row.risk, text: t('due.left', {span: spanText(left)})};
}

/** How long ago, coarse. @param {string | number} instant @param {number} now */
export function agoText(instant, now) {
  const span = now - new Date(instant).getTime();
  if (span < MINUTE) return t('ago.now');
  if (span < HOUR) return t('ago.minutes', {n: Math.floor(span / MINUTE)});
  if (span < DAY) return t('ago.hours', {n: Math.floor(span / HOUR)});
  return t('ago.days', {n: Math.floor(span / DAY)});
}

/** Move a day (YYYY-MM-DD) by whole days. @param {string} day @param {number} days */
export function shiftDay(day, days) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/** Days from one to the other, both counted. @param {string} from @param {string} to */
export function dayCount(from, to) {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY) + 1;
}
