// The border of the chosen area on the map.

import {GeoJSON} from 'leaflet';
import {getJson, urlOf} from '../lib/api.js';
import {onTheme, token} from '../lib/theme.js';

/** @param {import('leaflet').Map} map */
export function createOutline(map) {
  /** @type {GeoJSON | null} */
  let drawn = null;
  let asked = '';
  const look = () => ({color: token('brand'), weight: 2.5, fill: false, interactive: false});

  /** @param {string} code */
  async function show(code) {
    if (code === asked) return;
    asked = code;
    drawn?.remove();
    drawn = null;
    if (code.length < 9) return;
    const layer = code.length === 15 ? 'grid' : 'area';
    try {
      // The area itself has the shortest code of all that begin with it, so it comes first.
      const found = await getJson(urlOf(`/api/layers/${layer}/items`, {area: code, limit: 1}));
      if (asked === code && found.features.length) drawn = new GeoJSON(found, {style: look}).addTo(map);
    } catch {
      // A missing border hides nothing: the box of the area is shown, and so are its rows.
      asked = '';
    }
  }

  onTheme(() => drawn?.setStyle(look()));
  return {show};
}
