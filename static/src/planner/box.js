// A box drawn on the map, or taken from what the map shows: the second needs no mouse.

import {LatLngBounds, Rectangle} from 'leaflet';
import {el, fill} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {onTheme, token} from '../lib/theme.js';
import {icon} from '../ui/icon.js';

/** @typedef {import('./choice.js').Box} Box */

/**
 * @param {HTMLElement} host
 * @param {import('leaflet').Map} map
 * @param {{onBox: (box: Box | null) => void}} options
 */
export function createBoxTool(host, map, {onBox}) {
  /** @type {Rectangle | null} */
  let drawn = null;
  /** @type {import('leaflet').LatLng | null} */
  let corner = null;
  let isDrawing = false;
  const surface = map.getContainer();

  const look = () => ({color: token('brand'), weight: 2, dashArray: '6 4', fillColor: token('brand'), fillOpacity: 0.08, interactive: false});

  /** @param {LatLngBounds} bounds */
  function put(bounds) {
    if (drawn) drawn.setBounds(bounds);
    else drawn = new Rectangle(bounds, look()).addTo(map);
  }

  /** @param {boolean} next */
  function setDrawing(next) {
    isDrawing = next;
    corner = null;
    map.dragging[next ? 'disable' : 'enable']();
    surface.classList.toggle('is-drawing', next);
    draw();
  }

  map.on('mousedown', event => { if (isDrawing) corner = event.latlng; });
  map.on('mousemove', event => { if (isDrawing && corner) put(new LatLngBounds(corner, event.latlng)); });
  map.on('mouseup', event => {
    if (!isDrawing || !corner) return;
    const bounds = new LatLngBounds(corner, event.latlng);
    setDrawing(false);
    if (bounds.getEast() > bounds.getWest() && bounds.getNorth() > bounds.getSouth()) onBox(boxOf(bounds));
  });
  document.addEventListener('keydown', event => { if (event.key === 'Escape' && isDrawing) setDrawing(false); });

  let hasBox = false;
  function draw() {
    fill(host,
      el('button', {type: 'button', class: 'btn', 'aria-pressed': String(isDrawing), onclick: () => setDrawing(!isDrawing)}, icon('select'), t(isDrawing ? 'box.drawing' : 'box.draw')),
      el('button', {type: 'button', class: 'btn', onclick: () => onBox(boxOf(map.getBounds()))}, icon('maximize'), t('box.view')),
      hasBox && el('button', {type: 'button', class: 'btn', onclick: () => onBox(null)}, icon('x'), t('box.clear')));
  }

  onTheme(() => drawn?.setStyle(look()));
  draw();

  return {
    /** @param {Box | null} box */
    show(box) {
      hasBox = Boolean(box);
      if (box) put(new LatLngBounds([box[1], box[0]], [box[3], box[2]]));
      else {
        drawn?.remove();
        drawn = null;
      }
      draw();
    },
  };
}

/** @param {LatLngBounds} bounds @returns {Box} */
const boxOf = bounds => [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
