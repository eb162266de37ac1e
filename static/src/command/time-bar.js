// Cases per day; a stretch of days chooses the period of everything. Drag over the bars,
// or move the two handles with the arrow keys; play moves the stretch through time.

import {el, fill, styles} from '../lib/dom.js';
import {dayCount, shiftDay} from '../lib/dates.js';
import {dayText, number, t} from '../lib/i18n.js';
import {wantsStill} from '../lib/theme.js';
import {errorText} from '../ui/errors.js';
import {icon} from '../ui/icon.js';

const STEP_MS = 900;
const PLAY_DAYS = 7;

/**
 * @param {HTMLElement} host
 * @param {{onPeriod: (from: string, to: string) => void, onRetry: () => void}} options
 */
export function createTimeBar(host, {onPeriod, onRetry}) {
  /** @type {{on: string, count: number}[]} */
  let series = [];
  /** @type {[number, number] | null} */
  let range = null;
  /** @type {ReturnType<typeof setInterval> | null} */
  let timer = null;

  const play = el('button', {type: 'button', class: 'btn btn-primary time-play', 'aria-label': t('time.play'), title: t('time.play'), onclick: togglePlay}, icon('player-play'));
  const bars = el('div', {class: 'time-bars'});
  const handles = [handle(0), handle(1)];
  const track = el('div', {class: 'time-track'}, bars, ...handles);
  const label = el('div', {class: 'time-label', 'aria-live': 'polite'});
  const tip = el('div', {class: 'time-tip', hidden: true});
  fill(host, play, track, label, tip);

  /** @param {0 | 1} end */
  function handle(end) {
    return el('div', {class: 'time-handle', role: 'slider', tabindex: '0', 'aria-label': t(end ? 'time.to' : 'time.from'), hidden: true,
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const by = {ArrowLeft: -1, ArrowRight: 1, PageDown: -7, PageUp: 7}[event.key];
        if (!by || !range) return;
        event.preventDefault();
        const next = /** @type {[number, number]} */ ([...range]);
        next[end] = clamp(next[end] + by);
        if (next[0] <= next[1]) choose(next, true);
      }});
  }

  const clamp = (/** @type {number} */ place) => Math.max(0, Math.min(series.length - 1, place));

  function draw() {
    const most = Math.max(1, ...series.map(point => point.count));
    fill(bars, ...series.map((point, place) => {
      const node = el('i', {class: ['time-bar', range && place >= range[0] && place <= range[1] && 'is-in', range && (place < range[0] || place > range[1]) && 'is-out']});
      styles(node, {height: `${Math.max(3, (point.count / most) * 100)}%`});
      return node;
    }));
    drawRange();
  }

  function drawRange() {
    [...bars.children].forEach((node, place) => {
      node.classList.toggle('is-in', Boolean(range && place >= range[0] && place <= range[1]));
      node.classList.toggle('is-out', Boolean(range && (place < range[0] || place > range[1])));
    });
    const share = 100 / Math.max(1, series.length);
    handles.forEach((node, end) => {
      node.hidden = !range;
      if (!range) return;
      styles(node, {left: `${(range[end] + end) * share}%`});
      node.setAttribute('aria-valuemin', '0');
      node.setAttribute('aria-valuemax', String(series.length - 1));
      node.setAttribute('aria-valuenow', String(range[end]));
      node.setAttribute('aria-valuetext', series[range[end]]?.on ?? '');
    });
    drawLabel();
  }

  function drawLabel() {
    if (!series.length) return;
    const [first, last] = range ?? [0, series.length - 1];
    const sum = series.slice(first, last + 1).reduce((total, point) => total + point.count, 0);
    fill(label,
      el('span', {class: 'time-days'}, range ? `${dayText(series[first].on)} – ${dayText(series[last].on)}` : t('time.all', {n: series.length})),
      el('span', {class: 'muted small'}, t('time.sum', {n: number(sum)})),
      range && el('button', {type: 'button', class: 'link small', onclick: () => { stop(); choose(null, true); }}, t('time.clear')));
  }

  /** @param {[number, number] | null} next @param {boolean} isDone */
  function choose(next, isDone) {
    range = next;
    drawRange();
    if (isDone) onPeriod(next ? series[next[0]].on : '', next ? series[next[1]].on : '');
  }

  // ---- dragging

  const placeOf = (/** @type {PointerEvent} */ event) => {
    const box = bars.getBoundingClientRect();
    return clamp(Math.floor(((event.clientX - box.left) / box.width) * series.length));
  };
  let anchor = -1;
  track.addEventListener('pointerdown', event => {
    if (!series.length || event.button !== 0) return;
    stop();
    track.setPointerCapture(event.pointerId);
    const grabbed = handles.indexOf(/** @type {any} */ (event.target));
    anchor = grabbed >= 0 && range ? range[grabbed ? 0 : 1] : placeOf(event);
    if (grabbed < 0) choose([anchor, anchor], false);
  });
  track.addEventListener('pointermove', event => {
    const place = placeOf(event);
    showTip(event, place);
    if (anchor >= 0) choose([Math.min(anchor, place), Math.max(anchor, place)], false);
  });
  const release = () => {
    if (anchor >= 0 && range) choose(range, true);
    anchor = -1;
  };
  track.addEventListener('pointerup', release);
  track.addEventListener('pointercancel', release);
  track.addEventListener('pointerleave', () => { tip.hidden = true; });
  track.addEventListener('dblclick', () => choose(null, true));

  /** @param {PointerEvent} event @param {number} place */
  function showTip(event, place) {
    if (!series[place]) return;
    tip.hidden = false;
    fill(tip, el('b', null, number(series[place].count)), ' ', dayText(series[place].on, 'weekday'));
    styles(tip, {left: `${event.clientX - host.getBoundingClientRect().left}px`});
  }

  // ---- playing

  function togglePlay() {
    if (timer) {
      stop();
      return;
    }
    if (!series.length) return;
    const width = range ? range[1] - range[0] : PLAY_DAYS - 1;
    if (!range || range[1] >= series.length - 1) choose([0, Math.min(width, series.length - 1)], true);
    timer = setInterval(advance, wantsStill() ? STEP_MS * 2 : STEP_MS);
    fill(play, icon('player-pause'));
    play.setAttribute('aria-label', t('time.pause'));
  }

  function advance() {
    if (!range || range[1] >= series.length - 1) stop();
    else choose([range[0] + 1, range[1] + 1], true);
  }

  function stop() {
    if (timer) clearInterval(timer);
    timer = null;
    fill(play, icon('player-play'));
    play.setAttribute('aria-label', t('time.play'));
  }

  return {
    /** @param {import('../lib/resource.js').Loaded<{on: string, count: number}[]>} state @param {{from: string, to: string}} period */
    show(state, period) {
      if (state.value) {
        series = state.value;
        this.setPeriod(period);
        draw();
      } else if (state.error) {
        fill(label, el('span', {class: 'small tone-late'}, errorText(state.error)), el('button', {type: 'button', class: 'link small', onclick: onRetry}, t('action.retry')));
      }
    },
    /** @param {{from: string, to: string}} period */
    setPeriod({from, to}) {
      if (!series.length) return;
      const first = series[0].on;
      range = from ? [clamp(dayCount(first, from) - 1), clamp(dayCount(first, to) - 1)] : null;
      drawRange();
    },
    /** One more case today. @param {string} day */
    count(day) {
      const point = series.find(other => other.on === day);
      if (point) point.count += 1;
      else if (series.length && day === shiftDay(series[series.length - 1].on, 1)) series = [...series.slice(1), {on: day, count: 1}];
      draw();
    },
    togglePlay,
  };
}
