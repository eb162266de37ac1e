// The grids of a day on the map, with the name and figures of the one that is pointed at.

import {GeoJSON} from 'leaflet';
import {getJson, urlOf} from '../lib/api.js';
import {find} from '../lib/dom.js';
import {lang, number, t} from '../lib/i18n.js';
import {onTheme, token} from '../lib/theme.js';
import {createTip} from '../counts/key.js';
import {createMap} from '../map/create.js';
import {errorText} from '../ui/errors.js';

/** @param {HTMLElement} host @param {any} page */
export async function showGrids(host, page) {
  const {town, on, bounds} = page.grids;
  host.hidden = false;
  const {leaflet} = createMap(host, {tiles: page.tiles.base, lang: lang(), bounds: bounds ?? page.city.bounds, room: page.city.bounds, attribution: page.city.attribution});
  const tip = createTip(find('#tip'), value => (typeof value === 'number' ? t('grids.householdsOf', {n: number(value)}) : String(value ?? '')));
  const look = () => ({color: token('text'), weight: 1.4, fillColor: token('brand'), fillOpacity: 0.08});
  try {
    const shapes = await getJson(urlOf('/data/grids/shapes', {area: town, asof: on}));
    const layer = new GeoJSON(shapes, {style: look, onEachFeature: (feature, shape) => {
      const row = document.querySelector(`tr[data-code="${feature.properties.code}"]`);
      const path = /** @type {import('leaflet').Path} */ (shape);
      shape.on('mouseover mousemove', event => {
        path.setStyle({fillOpacity: 0.35});
        row?.classList.add('is-pointed');
        const {x, y} = /** @type {import('leaflet').LeafletMouseEvent} */ (event).containerPoint;
        tip.show({x, y, name: feature.properties.name, value: feature.properties.households});
      });
      shape.on('mouseout', () => {
        path.setStyle(look());
        row?.classList.remove('is-pointed');
        tip.show(null);
      });
      shape.on('click', () => location.assign(`/data/grids/${feature.properties.code}`));
    }}).addTo(leaflet);
    onTheme(() => layer.setStyle(look()));
  } catch (error) {
    host.textContent = errorText(error);
  }
}
