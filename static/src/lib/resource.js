// Something read from the server that may be loading, there, old, or failed. A newer
// question cancels the older one, and a failed refresh keeps what was there.

/**
 * @template T
 * @typedef {{value: T | null, isLoading: boolean, error: unknown, at: number}} Loaded
 */

/**
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} read
 * @param {(state: Loaded<T>) => void} hear
 */
export function createResource(read, hear) {
  /** @type {Loaded<T>} */
  let state = {value: null, isLoading: false, error: null, at: 0};
  /** @type {AbortController | null} */
  let running = null;

  /** @param {Partial<Loaded<T>>} patch */
  const tell = patch => {
    state = {...state, ...patch};
    hear(state);
  };

  /** @param {{isFresh?: boolean}} [options]  isFresh: what was there answers another question */
  async function load({isFresh = false} = {}) {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    tell({isLoading: true, ...(isFresh ? {value: null, error: null} : {})});
    try {
      const value = await read(mine.signal);
      if (running === mine) tell({value, isLoading: false, error: null, at: Date.now()});
    } catch (error) {
      if (running === mine && !(error instanceof DOMException && error.name === 'AbortError')) tell({isLoading: false, error});
    }
  }

  return {load, get: () => state};
}
