// Where the worker stands, asked for once and shared by the lists and the map.

/** @typedef {{lon: number, lat: number, accuracy: number}} Here */

/** @type {Promise<Here> | null} */
let asked = null;

/** @param {{fresh?: boolean}} [options] @returns {Promise<Here>} rejects where the phone does not say */
export function here({fresh = false} = {}) {
  if (asked && !fresh) return asked;
  asked = new Promise((resolve, reject) => {
    if (!navigator.geolocation || !window.isSecureContext) { reject(new Error('unsupported')); return; }
    navigator.geolocation.getCurrentPosition(
      ({coords}) => resolve({lon: coords.longitude, lat: coords.latitude, accuracy: coords.accuracy}),
      error => reject(new Error(['unavailable', 'denied', 'unavailable', 'timeout'][error.code] ?? 'unavailable')),
      {enableHighAccuracy: true, timeout: 12_000, maximumAge: fresh ? 0 : 30_000});
  });
  return asked;
}
