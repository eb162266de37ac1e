// What happens when something that the search found is chosen.

import {getJson} from '../lib/api.js';

/**
 * @param {{set: (patch: Partial<import('./state.js').State>) => void, showGrid: (code: string) => void,
 *   map: () => Pick<ReturnType<typeof import('../map/create.js').createMap>, 'fitBox' | 'flyTo' | 'incidents'>}} page
 */
export function createHits({set, showGrid, map}) {
  /** @type {Map<string, string>} */
  const categories = new Map();

  /** @param {number} lon @param {number} lat */
  function showPlace(lon, lat) {
    map().incidents.pin({lon, lat});
    map().flyTo(lon, lat, 17);
  }

  /** @param {string} code */
  async function showArea(code) {
    const area = await getJson(`/api/areas/${code}`);
    set({area: area.code, grid: ''});
    map().fitBox(area.bounds);
  }

  /** @param {import('../ui/search.js').Hit} hit */
  async function open({kind, id, name, lon, lat}) {
    if (kind === 'area') return showArea(id);
    if (kind === 'category') {
      categories.set(id, name);
      return set({category: id});
    }
    if (kind === 'incident') set({opened: id});
    if (kind === 'grid') showGrid(id);
    if (lon === null || lat === null) return undefined;
    return kind === 'incident' || kind === 'grid' ? map().flyTo(lon, lat, 15) : showPlace(lon, lat);
  }

  return {open, showPlace, categoryName: (/** @type {string} */ code) => categories.get(code)};
}
