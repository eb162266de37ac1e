// What a thematic layer knows about one thing that was clicked.

import {el, fill} from '../lib/dom.js';
import {hasText, number, t} from '../lib/i18n.js';
import {icon} from '../ui/icon.js';
import {nameOf} from '../ui/tip.js';

const HIDDEN = new Set(['id', 'cell_id', 'grid_id', 'geom', 'count', 'classes', 'name', 'name_zh', 'name_en']);

/**
 * @param {HTMLElement} host
 * @param {{onClose: () => void}} options
 */
export function createFeatureCard(host, {onClose}) {
  return {
    /** @param {string} title @param {Record<string, any>} props */
    show(title, props) {
      host.hidden = false;
      const shown = Object.entries(props).filter(([name, value]) => !HIDDEN.has(name) && value !== null && value !== '');
      fill(host,
        el('header', {class: 'panel-head'}, el('h2', {class: 'ellipsis'}, nameOf(props) || title), el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('action.close'), onclick: onClose}, icon('x'))),
        el('div', {class: 'panel-body'},
          el('p', {class: 'muted small'}, title),
          el('dl', {class: 'facts'}, ...shown.flatMap(([name, value]) => [
            el('dt', null, hasText(`column.${name}`) ? t(`column.${name}`) : name), el('dd', null, typeof value === 'number' ? number(value, 2) : String(value))])),
          Number(props.count) > 1 && el('p', null, t('feature.many', {n: number(Number(props.count))}))));
    },
    hide() { host.hidden = true; },
  };
}
