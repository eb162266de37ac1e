// Time series with uPlot, in the colours of the tokens; redrawn when the theme changes.

import UPlot from 'uplot';
import {el} from '../lib/dom.js';
import {dayText} from '../lib/i18n.js';
import {onTheme, token} from '../lib/theme.js';

const FONT = '11px "Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif';

/**
 * Daily counts as bars.
 *
 * @param {HTMLElement} host
 * @param {{series: {on: string, count: number}[], label: string, height?: number}} options
 */
export function createBars(host, {series, label, height = 96}) {
  const times = series.map(point => Date.parse(`${point.on}T00:00:00Z`) / 1000);
  const counts = series.map(point => point.count);
  /** @type {UPlot | null} */
  let chart = null;

  function draw() {
    chart?.destroy();
    chart = new UPlot(config(), [times, counts], host);
  }

  /** @returns {UPlot.Options} */
  const config = () => ({
    width: Math.max(120, host.clientWidth),
    height,
    padding: [8, 24, 0, 0],
    legend: {show: false},
    cursor: {show: false},
    scales: {x: {time: true}, y: {range: (_chart, _low, high) => [0, Math.max(4, Math.ceil(high * 1.1))]}},
    axes: [
      {stroke: token('muted'), font: FONT, size: 22, grid: {show: false}, ticks: {show: false},
        values: (_chart, splits) => splits.map(split => dayText(new Date(split * 1000).toISOString().slice(0, 10)))},
      {stroke: token('muted'), font: FONT, size: 28, grid: {stroke: token('edge'), width: 1}, ticks: {show: false}},
    ],
    series: [
      {},
      {label, fill: token('ramp-4'), stroke: token('ramp-4'), width: 0, points: {show: false},
        paths: UPlot.paths.bars?.({size: [0.72, 14], radius: 0.15})},
    ],
  });

  draw();
  const stop = onTheme(draw);
  const resize = new ResizeObserver(() => chart?.setSize({width: Math.max(120, host.clientWidth), height}));
  resize.observe(host);
  return {destroy() { stop(); resize.disconnect(); chart?.destroy(); }};
}

/** The same counts as words, for those who cannot see the bars. @param {{on: string, count: number}[]} series @param {string} caption */
export function seriesTable(series, caption) {
  return el('table', {class: 'visually-hidden'}, el('caption', null, caption),
    el('tbody', null, ...series.map(point => el('tr', null, el('th', {scope: 'row'}, dayText(point.on)), el('td', null, point.count)))));
}
