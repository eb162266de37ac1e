// The state of a face: one frozen object, changed only through set(), and listeners
// that hear which keys changed.

/**
 * @template {object} S
 * @param {S} initial
 */
export function createStore(initial) {
  let state = Object.freeze({...initial});
  /** @type {Set<{keys: (keyof S)[] | null, hear: (state: S, changed: Set<keyof S>) => void}>} */
  const listeners = new Set();

  /** @returns {Readonly<S>} */
  const get = () => state;

  /** Take over the values that differ; listeners hear once. @param {Partial<S>} patch */
  function set(patch) {
    /** @type {Set<keyof S>} */
    const changed = new Set();
    for (const key of /** @type {(keyof S)[]} */ (Object.keys(patch))) {
      if (!same(state[key], patch[key])) changed.add(key);
    }
    if (!changed.size) return changed;
    state = Object.freeze({...state, ...patch});
    for (const {keys, hear} of [...listeners]) {
      if (!keys || keys.some(key => changed.has(key))) hear(state, changed);
    }
    return changed;
  }

  /**
   * Hear of changes; with keys, of these only. Returns how to stop.
   *
   * @param {(keyof S)[] | null} keys
   * @param {(state: Readonly<S>, changed: Set<keyof S>) => void} hear
   */
  function on(keys, hear) {
    const entry = {keys, hear};
    listeners.add(entry);
    return () => listeners.delete(entry);
  }

  return {get, set, on};
}

/** Equal as plain data: arrays and objects by what they hold. @param {any} a @param {any} b @returns {boolean} */
export function same(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every(key => key in b && same(a[key], b[key]));
}
