// What the colours mean: classes, unit, period, how many of how many, how old.

import {el, fill} from '../lib/dom.js';
import {compact, dateText, number, t} from '../lib/i18n.js';
import {SUPPRESSED, classOf, classesOf, rampColours} from '../map/choropleth.js';
import {same} from '../lib/store.js';
import {onTheme} from '../lib/theme.js';
import {errorNote, skeleton} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {markList} from '../ui/symbols.js';

/** @typedef {{theme: string, unit: string, period: string | null, breaks: number[], method: string, values: Record<string, number | string>, shown: number, total: number, as_of: string}} Figures */

const USUAL = ['late', 'soon', 'ok', 'paused'];
const MINUTE = 60_000;
/** How old figures may be: people are published once a week. @type {Record<string, number>} */
const FRESH_MS = {people: 8 * 24 * 60 * MINUTE};
const USUALLY_FRESH_MS = 5 * MINUTE;

/**
 * @param {HTMLElement} host
 * @param {{onRetry: () => void}} options
 */
export function createLegend(host, {onRetry}) {
  const body = el('div', {class: 'panel-body'});
  const marks = el('div', {class: 'legend-marks'});
  fill(host, body, marks);
  /** @type {import('../lib/resource.js').Loaded<Figures> | null} */
  let shown = null;
  let theme = '';
  let pointed = /** @type {string | null} */ (null);
  let shownCases = {rows: 0, total: 0, risks: ''};

  function draw() {
    host.classList.toggle('is-plain', theme === 'none');
    drawMarks();
    if (theme === 'none') {
      fill(body);
      return;
    }
    const figures = shown?.value;
    if (!figures) {
      fill(body, shown?.error ? errorNote(shown.error, onRetry) : skeleton(2, 'line'));
      return;
    }
    const isStale = Boolean(shown?.error) || Date.now() - Date.parse(figures.as_of) > (FRESH_MS[theme] ?? USUALLY_FRESH_MS);
    fill(body,
      el('h2', {class: 'legend-title'}, t(`legend.${theme}`), figures.period && el('span', {class: 'muted'}, figures.period)),
      ramp(figures),
      el('p', {class: 'muted small'}, t('legend.classes', {unit: figures.unit, method: t(`method.${figures.method}`)})),
      Object.values(figures.values).includes(SUPPRESSED) && el('p', {class: 'small legend-hidden'}, el('i', {class: 'hatch'}), t('legend.hidden')),
      el('p', {class: ['small', isStale ? 'legend-stale' : 'muted']}, isStale && icon('clock-exclamation'),
        t('legend.shown', {n: number(figures.shown), total: number(figures.total), at: dateText(figures.as_of, 'seconds')})));
  }

  /** @param {Figures} figures */
  function ramp(figures) {
    const colours = rampColours();
    const classes = classesOf(figures.breaks);
    const value = pointed === null ? undefined : figures.values[pointed];
    const at = typeof value === 'number' ? classOf(value, figures.breaks) : -1;
    const start = classes[0]?.from ?? 0;
    const edge = (/** @type {number} */ value) => compact(Math.round(value));
    return el('div', {class: 'ramp', role: 'img', 'aria-label': t('legend.ramp', {breaks: [start, ...classes.map(one => one.to)].map(value => number(value, 1)).join(', ')})},
      el('div', {class: 'ramp-bar'}, ...classes.map(one => el('i', {class: one.place === at ? 'is-at' : null, style: {background: colours[one.step]}}))),
      // A first class that is one value only (nothing at all) has no lower edge to tell.
      start < (classes[0]?.to ?? 0)
        ? el('div', {class: 'ramp-steps'}, ...[start, ...classes.map(one => one.to)].map(value => el('span', null, edge(value))))
        : el('div', {class: 'ramp-steps is-upper'}, ...classes.map(one => el('span', null, edge(one.to)))));
  }

  function drawMarks() {
    const {rows, total, risks} = shownCases;
    fill(marks, markList(risks ? risks.split(',') : USUAL, risk => t(`risk.${risk}`)),
      rows < total && el('p', {class: 'muted small'}, t('legend.cases', {n: number(rows), total: number(total)})));
  }

  onTheme(draw);
  return {
    /** @param {string} nextTheme @param {import('../lib/resource.js').Loaded<Figures> | null} state */
    show(nextTheme, state) {
      theme = nextTheme;
      shown = state;
      draw();
    },
    /** Mark the class of the grid under the pointer. @param {string | null} code */
    point(code) {
      if (code === pointed) return;
      pointed = code;
      if (shown?.value && theme !== 'none') body.querySelector('.ramp')?.replaceWith(ramp(shown.value));
    },
    /** How many cases the map shows, of how many, and in which states of time. @param {readonly {risk: string}[]} cases @param {number} total */
    setCases(cases, total) {
      const present = new Set(cases.map(row => row.risk));
      const next = {rows: cases.length, total, risks: [...USUAL, 'done'].filter(risk => present.has(risk)).join(',')};
      if (same(shownCases, next)) return;
      shownCases = next;
      drawMarks();
    },
  };
}
