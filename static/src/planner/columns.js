// Which columns go along, each with its level; and which classes of a layer.

import {el, fill} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {isDark} from '../lib/theme.js';

/** @typedef {import('./choice.js').Column} Column */

/**
 * @param {HTMLElement} host
 * @param {{onChange: (names: string[] | null) => void}} options  null: all
 */
export function createColumns(host, {onChange}) {
  return {
    /** @param {Column[]} columns @param {string[] | null} chosen */
    show(columns, chosen) {
      // What needs approval goes along only when it is asked for.
      const free = columns.filter(column => column.level !== 'L3').map(column => column.name);
      const on = new Set(chosen ?? free);
      const held = /** @type {HTMLInputElement | null} */ (document.activeElement)?.value;
      const change = (/** @type {string} */ name, /** @type {boolean} */ isOn) => {
        if (isOn) on.add(name); else on.delete(name);
        const names = columns.filter(column => on.has(column.name)).map(column => column.name);
        onChange(names.join() === free.join() || !names.length ? null : names);
      };
      fill(host,
        el('p', {class: 'columns-head muted small'}, t('columns.chosen', {n: on.size, total: columns.length}),
          chosen && el('button', {type: 'button', class: 'link', onclick: () => onChange(null)}, t('columns.all'))),
        el('div', {class: 'column-list'}, ...columns.map(column => el('label', {class: 'column', title: column.name},
          el('input', {type: 'checkbox', value: column.name, checked: on.has(column.name), onchange: (/** @type {Event} */ event) => change(column.name, /** @type {HTMLInputElement} */ (event.target).checked)}),
          el('span', {class: 'ellipsis'}, column.title),
          column.level !== 'L1' && el('span', {class: column.level === 'L3' ? 'badge badge-late' : 'badge badge-soon', title: t(`level.${column.level}`)}, column.level)))));
      if (held) [...host.querySelectorAll('input')].find(input => input.value === held)?.focus();
    },
  };
}

/**
 * @param {HTMLElement} host
 * @param {{onChange: (values: string[]) => void}} options  empty: all
 */
export function createClasses(host, {onChange}) {
  return {
    /** @param {{value: string, label: string}[]} classes @param {import('../map/thematic.js').Swatch[]} legend @param {string[]} chosen */
    show(classes, legend, chosen) {
      if (!classes.length) {
        fill(host);
        return;
      }
      const on = new Set(chosen);
      const colour = (/** @type {string} */ value) => {
        const swatch = legend.find(one => one.value === value);
        return (isDark() ? swatch?.colour_dark : swatch?.colour) ?? 'currentColor';
      };
      const toggle = (/** @type {string} */ value) => {
        if (on.has(value)) on.delete(value); else on.add(value);
        onChange(on.size === classes.length ? [] : classes.map(one => one.value).filter(one => on.has(one)));
      };
      fill(host, el('div', {class: 'class-list', role: 'group', 'aria-label': t('classes.label')},
        el('button', {type: 'button', class: 'chip', 'aria-pressed': String(!on.size), onclick: () => onChange([])}, t('classes.all')),
        ...classes.map(one => el('button', {type: 'button', class: 'chip', 'aria-pressed': String(on.has(one.value)), onclick: () => toggle(one.value)},
          el('i', {style: {background: colour(one.value)}}), one.label))));
    },
  };
}
