// What lies under the pointer, in two lines.

import {el, fill, styles} from '../lib/dom.js';
import {timeLeft} from '../lib/dates.js';
import {lang, number, t} from '../lib/i18n.js';

/** The name of a feature in the reader's language. @param {Record<string, any>} props */
export const nameOf = props => String((lang() === 'en' ? props.name_en : props.name_zh) || props.name || props.text || '');

/** @param {HTMLElement} host */
export function createTip(host) {
  return {
    /**
     * @param {{x: number, y: number, incidents: any[], features: import('../map/create.js').FeatureHit[], grid: import('../map/create.js').GridHit | null} | null} hit
     * @param {{figure: (code: string) => string | null, layerTitle: (id: string) => string}} words
     */
    show(hit, {figure, layerTitle}) {
      const lines = hit ? linesOf(hit, figure, layerTitle) : [];
      host.hidden = !hit || !lines.length;
      if (!hit || !lines.length) return;
      fill(host, ...lines);
      const room = host.parentElement?.clientWidth ?? 0;
      styles(host, {left: `${Math.min(hit.x + 14, room - host.offsetWidth - 8)}px`, top: `${hit.y + 16}px`});
    },
  };
}

/** @param {{incidents: any[], features: import('../map/create.js').FeatureHit[], grid: import('../map/create.js').GridHit | null}} hit @param {(code: string) => string | null} figure @param {(id: string) => string} layerTitle */
function linesOf({incidents, features, grid}, figure, layerTitle) {
  if (incidents.length) {
    const [row] = incidents;
    const left = timeLeft(row, Date.now());
    return [el('b', null, row.category.name), el('span', {class: `tone-${left.risk}`}, left.text), el('span', {class: 'muted'}, row.address),
      incidents.length > 1 && el('span', {class: 'muted'}, t('tip.more', {n: number(incidents.length - 1)}))];
  }
  if (features.length) {
    const [{layer, props}] = features;
    const count = Number(props.count) > 1 ? number(Number(props.count)) : null;
    return [el('b', null, nameOf(props) || layerTitle(layer)), el('span', {class: 'muted'}, count ? t('tip.count', {n: count, what: layerTitle(layer)}) : layerTitle(layer))];
  }
  if (grid) return [el('b', null, grid.name), figure(grid.code) && el('span', {class: 'muted'}, figure(grid.code))];
  return [];
}
