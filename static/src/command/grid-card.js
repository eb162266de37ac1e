// The profile of a duty grid: figures first, everything else one press away.

import {el, fill} from '../lib/dom.js';
import {hasText, number, t} from '../lib/i18n.js';
import {createBars, seriesTable} from '../ui/chart.js';
import {openDialog} from '../ui/dialog.js';
import {errorNote, skeleton} from '../ui/errors.js';
import {SUPPRESSED} from '../map/choropleth.js';
import {icon} from '../ui/icon.js';
import {createTable} from '../ui/table.js';
import {miniRow} from './queue.js';

/** @typedef {import('./case-list.js').Case} Case */
/**
 * @typedef {{code: string, name: string, town: any, community: any, households: any, people: any, rentals: any, enterprises: any, premises: any, components: any,
 *   incidents_30d: number, incidents_prev_30d: number, trend: {on: string, count: number}[], worker: {name: string, on_duty: boolean} | null,
 *   open_incidents: Case[], lists: Record<string, any>}} Profile
 */

const BRIEF_CASES = 3;

/** A figure, or the honest sign that it is withheld or not known. @param {any} value */
const figure = value => (typeof value === 'number' ? number(value) : value === SUPPRESSED ? t('grid.withheld') : value === null || value === undefined ? '–' : String(value));
const nameOf = (/** @type {any} */ place) => (place && typeof place === 'object' ? place.name : place) || '';

/** More or fewer than before, as arrow and number. @param {Profile} profile */
function changeOf({incidents_30d: now, incidents_prev_30d: before}) {
  const change = now - before;
  if (!change) return el('span', {class: 'muted', title: t('grid.same')}, '=');
  return el('span', {class: ['change', change > 0 ? 'is-up' : 'is-down'], title: t('grid.before', {n: number(before)})},
    icon(change > 0 ? 'arrow-up' : 'arrow-down', {label: t(change > 0 ? 'grid.up' : 'grid.down')}), number(Math.abs(change)));
}

/** @param {Profile} profile */
const factsOf = profile => [
  [t('grid.people'), el('span', null, `${figure(profile.households)} / ${figure(profile.people)}`)],
  [t('grid.rentals'), figure(profile.rentals)],
  [t('grid.enterprises'), `${figure(profile.enterprises)} · ${figure(profile.premises)}`],
  [t('grid.components'), figure(profile.components)],
  [t('grid.incidents'), el('span', {class: 'with-change'}, el('b', null, figure(profile.incidents_30d)), changeOf(profile))],
  [t('grid.worker'), profile.worker ? el('span', {class: 'with-change'}, profile.worker.name, el('span', {class: ['badge', profile.worker.on_duty && 'badge-ok']}, t(profile.worker.on_duty ? 'grid.onDuty' : 'grid.offDuty'))) : t('grid.noWorker')],
];

/**
 * @param {HTMLElement} host
 * @param {{onClose: () => void, onOpenCase: (row: Case) => void, onRetry: () => void, onFilter: (code: string) => void}} options
 */
export function createGridCard(host, {onClose, onOpenCase, onRetry, onFilter}) {
  /** @type {Profile | null} */
  let profile = null;
  let isFiltered = false;

  const close = () => el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('action.close'), onclick: onClose}, icon('x'));

  /** @param {Profile} shown */
  function brief(shown) {
    profile = shown;
    const series = shown.trend ?? [];
    const open = shown.open_incidents ?? [];
    const chart = el('div', {class: 'spark'});
    fill(host,
      el('header', {class: 'panel-head'}, el('h2', {class: 'ellipsis', title: shown.code}, shown.name), close()),
      el('div', {class: 'panel-body'},
        el('p', {class: 'muted small grid-where'}, [nameOf(shown.town), nameOf(shown.community)].filter(Boolean).join(' · ')),
        el('dl', {class: 'facts'}, ...factsOf(shown).flatMap(([name, value]) => [el('dt', null, name), el('dd', null, value)])),
        series.length > 0 && chart,
        open.length > 0 && el('div', {class: 'mini-rows'}, ...open.slice(0, BRIEF_CASES).map(row => miniRow(row, onOpenCase))),
        el('div', {class: 'card-actions'},
          el('button', {type: 'button', class: 'btn btn-primary', onclick: openProfile}, t('grid.open')),
          el('button', {type: 'button', class: 'btn', 'aria-pressed': String(isFiltered), onclick: () => onFilter(isFiltered ? '' : shown.code)}, icon(isFiltered ? 'filter-off' : 'filter'), t(isFiltered ? 'grid.unfilter' : 'grid.filter')))));
    drawSpark(chart, series);
  }

  /** @param {HTMLElement} chart @param {{on: string, count: number}[]} series */
  function drawSpark(chart, series) {
    const most = Math.max(1, ...series.map(point => point.count));
    fill(chart, ...series.map(point => el('i', {style: {height: `${Math.max(6, (point.count / most) * 100)}%`}, class: point.count ? null : 'is-none', title: `${point.on} · ${point.count}`})));
    chart.setAttribute('role', 'img');
    chart.setAttribute('aria-label', t('grid.trend', {n: series.reduce((sum, point) => sum + point.count, 0)}));
  }

  function openProfile() {
    if (!profile) return;
    const shown = profile;
    const chart = el('div', {class: 'chart'});
    const series = shown.trend ?? [];
    const dialog = openDialog({
      title: `${shown.name} · ${nameOf(shown.town)}`,
      class: 'dialog-wide',
      body: [
        el('p', {class: 'muted small'}, t('grid.code', {code: shown.code})),
        el('div', {class: 'profile'},
          el('dl', {class: 'facts profile-facts'}, ...factsOf(shown).flatMap(([name, value]) => [el('dt', null, name), el('dd', null, value)])),
          el('section', null, el('h3', null, t('grid.trendTitle')), chart, seriesTable(series, t('grid.trendTitle')))),
        el('section', null, el('h3', null, t('grid.openCases', {n: shown.open_incidents?.length ?? 0})), createTable({
          rows: shown.open_incidents ?? [], onOpen: row => { dialog.close(); onOpenCase(row); },
          columns: [
            {title: t('case.what'), value: row => row.category.name}, {title: t('case.where'), value: row => row.address},
            {title: t('case.status'), value: row => row.status_name}, {title: t('case.holder'), value: row => row.holder ?? '–'},
          ],
        })),
        ...Object.entries(shown.lists ?? {}).map(([name, rows]) => listOf(name, rows)),
      ],
      onClose: () => bars?.destroy(),
    });
    const bars = series.length ? createBars(chart, {series, label: t('grid.trendTitle'), height: 150}) : null;
  }

  return {
    /** @param {import('../lib/resource.js').Loaded<Profile>} state */
    show(state) {
      host.hidden = false;
      if (state.value) brief(state.value);
      else if (state.error) fill(host, el('header', {class: 'panel-head'}, el('h2', null, t('grid.title')), close()), el('div', {class: 'panel-body'}, errorNote(state.error, onRetry)));
      else fill(host, el('header', {class: 'panel-head'}, el('h2', null, t('grid.title')), close()), el('div', {class: 'panel-body'}, skeleton(7, 'line')));
    },
    /** @param {boolean} next */
    setFiltered(next) {
      isFiltered = next;
      if (profile && !host.hidden) brief(profile);
    },
    hide() {
      host.hidden = true;
      profile = null;
    },
  };
}

const LIST_SHOWN = 50;
const HIDDEN = new Set(['id', 'lon', 'lat']);

/** A list of the profile: whatever columns its rows have. @param {string} name @param {any} rows */
function listOf(name, rows) {
  if (!Array.isArray(rows) || !rows.length) return null;
  const keys = Object.keys(rows[0]).filter(key => !HIDDEN.has(key) && rows.some(row => row[key] !== null && row[key] !== '' && typeof row[key] !== 'object'));
  return el('section', null, el('h3', null, t(`list.${name}`)), createTable({
    rows: rows.slice(0, LIST_SHOWN),
    columns: keys.map(key => ({title: hasText(`column.${key}`) ? t(`column.${key}`) : key, value: (/** @type {any} */ row) => figure(row[key]), isNumber: rows.some(row => typeof row[key] === 'number')})),
  }), rows.length > LIST_SHOWN && el('p', {class: 'muted small'}, t('list.cut', {n: LIST_SHOWN, total: number(rows.length)})));
}
