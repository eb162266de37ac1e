// The server's time. It is carried on by the browser's monotonic clock, so that a wrong or
// changed wall clock of this machine moves no countdown, and corrected with every answer
// that says when it was given.

const SLOWEST_MS = 3000;

/**
 * @param {string} renderedAt  the server's time when it wrote the page
 * @param {{ticks?: () => number, wroteAt?: number}} [options]  wroteAt: when that was on the monotonic clock
 */
export function createClock(renderedAt, {ticks = () => performance.now(), wroteAt = pageCame()} = {}) {
  let offset = Date.parse(renderedAt) - wroteAt;
  return {
    now: () => offset + ticks(),
    iso: () => new Date(offset + ticks()).toISOString(),
    /** Take the time of an answer; one that was long under way says little. @param {string} at @param {number} askedAt  ticks */
    correct(at, askedAt) {
      const cameAt = ticks();
      const said = Date.parse(at);
      if (Number.isFinite(said) && cameAt - askedAt < SLOWEST_MS) offset = said - (askedAt + cameAt) / 2;
    },
    ticks,
  };
}

function pageCame() {
  const [page] = performance.getEntriesByType('navigation');
  return /** @type {PerformanceNavigationTiming | undefined} */ (page)?.responseStart ?? 0;
}
