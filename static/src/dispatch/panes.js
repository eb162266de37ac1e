// Three panes and the borders between them. Widths are kept on this machine; a border is
// moved by pointer or by arrow keys. Narrow windows show one pane at a time.

import {el, fill, styles} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {icon} from '../ui/icon.js';

const KEY = 'wangge.dispatch.panes';
/** Narrower than this no pane can be read, in pixels. */
const LEAST = {queue: 300, map: 240, case: 360};
const STEP = 24;

/** @typedef {'queue' | 'map' | 'case'} Pane */

/**
 * @param {{root: HTMLElement, queue: HTMLElement, map: HTMLElement, file: HTMLElement, first: HTMLElement, second: HTMLElement, tabs: HTMLElement}} hosts
 */
export function createPanes({root, queue, map, file, first, second, tabs}) {
  const panes = {queue, map, case: file};
  /** @type {{queue?: number, case?: number}} */
  let wanted = read();
  /** @type {Pane} */
  let current = 'queue';

  /** @param {'queue' | 'case'} name @param {number} width */
  function resize(name, width) {
    const other = name === 'queue' ? file : queue;
    const most = root.clientWidth - other.offsetWidth - LEAST.map - 2;
    wanted = {...wanted, [name]: Math.round(Math.max(LEAST[name], Math.min(most, width)))};
    apply();
  }

  function apply() {
    styles(root, {'--queue': wanted.queue ? `${wanted.queue}px` : null, '--case': wanted.case ? `${wanted.case}px` : null});
    for (const [splitter, name] of /** @type {[HTMLElement, 'queue' | 'case'][]} */ ([[first, 'queue'], [second, 'case']])) {
      const width = panes[name].offsetWidth;
      splitter.setAttribute('aria-valuenow', String(width));
      splitter.setAttribute('aria-valuetext', `${width} px`);
    }
  }

  function keep() {
    try {
      localStorage.setItem(KEY, JSON.stringify(wanted));
    } catch { /* A browser that keeps nothing shows the usual widths next time. */ }
  }

  /** @param {HTMLElement} splitter @param {'queue' | 'case'} name @param {string} label */
  function bind(splitter, name, label) {
    const sign = name === 'queue' ? 1 : -1;
    for (const [key, value] of Object.entries({role: 'separator', tabindex: '0', 'aria-orientation': 'vertical', 'aria-label': label, 'aria-valuemin': String(LEAST[name]), 'aria-valuemax': '2000', 'aria-controls': panes[name].id, title: label})) splitter.setAttribute(key, value);
    splitter.addEventListener('pointerdown', event => {
      event.preventDefault();
      splitter.setPointerCapture(event.pointerId);
      const [start, width] = [event.clientX, panes[name].offsetWidth];
      root.classList.add('is-resizing');
      const move = (/** @type {PointerEvent} */ moved) => resize(name, width + sign * (moved.clientX - start));
      const end = () => {
        splitter.removeEventListener('pointermove', move);
        root.classList.remove('is-resizing');
        keep();
      };
      splitter.addEventListener('pointermove', move);
      splitter.addEventListener('lostpointercapture', end, {once: true});
    });
    splitter.addEventListener('dblclick', () => { delete wanted[name]; apply(); keep(); });
    splitter.addEventListener('keydown', event => {
      const by = {ArrowLeft: -STEP, ArrowRight: STEP}[event.key];
      if (event.key === 'Home') delete wanted[name];
      else if (by) resize(name, panes[name].offsetWidth + sign * by);
      else return;
      event.preventDefault();
      apply();
      keep();
    });
  }

  /** @param {Pane} name */
  function show(name) {
    current = name;
    root.dataset.pane = name;
    for (const button of tabs.querySelectorAll('button')) button.setAttribute('aria-pressed', String(button.dataset.pane === name));
  }

  const tab = (/** @type {Pane} */ name, /** @type {string} */ sign) => el('button', {type: 'button', data: {pane: name}, 'aria-pressed': 'false', onclick: () => show(name)}, icon(sign), t(`dispatch.pane.${name}`));
  fill(tabs, tab('queue', 'list-check'), tab('map', 'map-2'), tab('case', 'file-description'));
  bind(first, 'queue', t('dispatch.resize.queue'));
  bind(second, 'case', t('dispatch.resize.case'));
  apply();
  show('queue');
  new ResizeObserver(apply).observe(root);

  return {
    show,
    /** The pane that holds the focus, or is on top. @returns {Pane} */
    current: () => /** @type {Pane} */ (Object.keys(panes).find(name => panes[/** @type {Pane} */ (name)].contains(document.activeElement)) ?? current),
    isVisible: (/** @type {Pane} */ name) => panes[name].offsetWidth > 0,
  };
}

/** @returns {{queue?: number, case?: number}} */
function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return Object.fromEntries(Object.entries(kept).filter(([name, width]) => ['queue', 'case'].includes(name) && typeof width === 'number' && width >= 200 && width < 2000));
  } catch {
    return {};
  }
}
