// Texts, numbers and dates in the language of the page. Each face loads its own
// messages: `useMessages({zh, en})`; a text that is missing shows its key.

/** @typedef {string | {one: string, other: string}} Message */

/** @type {Record<'zh' | 'en', Record<string, Message>>} */
const catalogue = {zh: {}, en: {}};

const root = typeof document === 'undefined' ? null : document.documentElement;

let language = /** @type {'zh' | 'en'} */ (root?.lang.startsWith('en') ? 'en' : 'zh');
let zone = 'Asia/Shanghai';

export const lang = () => language;
export const locale = () => (language === 'zh' ? 'zh-CN' : 'en-GB');
export const cityZone = () => zone;

/** @param {'zh' | 'en'} next */
export function setLang(next) {
  language = next;
}

/** All times are shown in the city's zone, wherever the screen stands. @param {string | undefined} next */
export function setZone(next) {
  if (next) zone = next;
}

/** @param {{zh: Record<string, Message>, en: Record<string, Message>}} messages */
export function useMessages({zh, en}) {
  Object.assign(catalogue.zh, zh);
  Object.assign(catalogue.en, en);
}

/**
 * The text of a key, with `{name}` filled in; `n` chooses between one and other.
 *
 * @param {string} key
 * @param {Record<string, string | number>} [params]
 */
export function t(key, params = {}) {
  const message = catalogue[language][key];
  if (message === undefined) return key;
  const text = typeof message === 'string' ? message : Number(params.n) === 1 ? message.one : message.other;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole));
}

/** Whether a text exists. @param {string} key */
export const hasText = key => key in catalogue[language];

/** Digits with separators, for tables and exact figures. @param {number} value @param {number} [digits] */
export function number(value, digits = 0) {
  return new Intl.NumberFormat(locale(), {maximumFractionDigits: digits}).format(value);
}

/** A figure of a dashboard: 30.2万, 1.2亿; 302K in English. @param {number} value */
export function compact(value) {
  if (language === 'en') {
    if (Math.abs(value) < 1e5) return number(value);
    return new Intl.NumberFormat('en', {notation: 'compact', maximumFractionDigits: 1}).format(value);
  }
  for (const [unit, sign] of /** @type {[number, string][]} */ ([[1e8, '亿'], [1e4, '万']])) {
    if (Math.abs(value) >= unit) return `${number(value / unit, Math.abs(value) >= 100 * unit ? 0 : 1)}${sign}`;
  }
  return number(value);
}

/** A share of 0 to 1 as a percentage. @param {number | null | undefined} share @param {number} [digits] */
export function percent(share, digits = 1) {
  if (share === null || share === undefined) return '–';
  return new Intl.NumberFormat(locale(), {style: 'percent', maximumFractionDigits: digits}).format(share);
}

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const DATE_STYLES = {
  time: {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'},
  seconds: {hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23'},
  day: {month: 'short', day: 'numeric'},
  weekday: {month: 'short', day: 'numeric', weekday: 'short'},
  date: {year: 'numeric', month: '2-digit', day: '2-digit'},
  minute: {month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23'},
  full: {year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23'},
};

/**
 * An instant in the city's zone.
 *
 * @param {string | number | Date} instant
 * @param {keyof typeof DATE_STYLES} [style]
 */
export function dateText(instant, style = 'minute') {
  return new Intl.DateTimeFormat(locale(), {...DATE_STYLES[style], timeZone: zone}).format(new Date(instant));
}

/** A day given as YYYY-MM-DD: no zone may move it. @param {string} day @param {keyof typeof DATE_STYLES} [style] */
export function dayText(day, style = 'day') {
  return new Intl.DateTimeFormat(locale(), {...DATE_STYLES[style], timeZone: 'UTC'}).format(new Date(`${day}T00:00:00Z`));
}

/** Today in the city, as YYYY-MM-DD. @param {Date} [now] */
export function cityDay(now = new Date()) {
  return new Intl.DateTimeFormat('en-CA', {timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit'}).format(now);
}
