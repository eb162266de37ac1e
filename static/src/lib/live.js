// News from the server: a stream of events, and where it does not hold, asking every ten
// seconds. The browser sends Last-Event-ID by itself when it comes back.

/** @typedef {'live' | 'polling' | 'offline'} Link */
/** @typedef {{id: string, name?: string, account?: number, until?: string, free?: boolean}} Claim  who works on a case, or that nobody does any more */
/** @typedef {{feed: number, incident: string, number: string, action: string, status: string, area: string, grid: string, lon: number, lat: number, category: {code: string, name: string}, at: string}} News */

const POLL_MS = 10_000;
const RETRY_MS = 15_000;

/**
 * @param {{url: string, onNews: (news: News) => void, onReload: () => void, poll: () => Promise<boolean>, onLink: (link: Link) => void, onClaim?: (claim: Claim) => void,
 *   Source?: typeof EventSource}} options
 */
export function createLive({url, onNews, onReload, poll, onLink, onClaim, Source = globalThis.EventSource}) {
  /** @type {EventSource | null} */
  let source = null;
  /** @type {Link | null} */
  let link = null;
  let last = 0;
  let hadBreak = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;

  /** @param {Link} next */
  function become(next) {
    if (link !== next) onLink(next);
    link = next;
  }

  function open() {
    if (!Source) {
      startPolling();
      return;
    }
    source = new Source(last ? `${url}${url.includes('?') ? '&' : '?'}last=${last}` : url, {withCredentials: true});
    source.addEventListener('open', () => {
      stopPolling();
      become('live');
      if (hadBreak) onReload();
      hadBreak = false;
    });
    source.addEventListener('incident', event => take(/** @type {MessageEvent} */ (event)));
    source.addEventListener('claim', event => onClaim?.(JSON.parse(/** @type {MessageEvent} */ (event).data)));
    source.addEventListener('reload', () => onReload());
    source.addEventListener('error', () => {
      hadBreak = true;
      startPolling();
      // A stream that was refused is closed for good: open another one later.
      if (source?.readyState === 2) {
        source = null;
        setTimeout(open, RETRY_MS);
      }
    });
  }

  /** @param {MessageEvent} event */
  function take(event) {
    const news = JSON.parse(event.data);
    if (news.feed && news.feed <= last) return;
    last = news.feed ?? last;
    onNews(news);
  }

  function startPolling() {
    if (timer) return;
    become('polling');
    timer = setInterval(ask, POLL_MS);
  }

  async function ask() {
    const came = await poll();
    if (timer) become(came ? 'polling' : 'offline');
  }

  function stopPolling() {
    clearInterval(timer);
    timer = undefined;
  }

  open();
  return {
    close() {
      stopPolling();
      source?.close();
    },
  };
}

/**
 * What the page says of its link. A stream whose network is gone looks open for a long
 * time; an ordinary question that got no answer knows better.
 *
 * @param {(shown: Link, since: number) => void} show
 */
export function createLinkState(show) {
  /** @type {Link} */
  let link = 'polling';
  /** @type {Link | null} */
  let shown = null;

  /** @param {Link} next */
  function tell(next) {
    if (next === shown) return;
    shown = next;
    show(next, Date.now());
  }

  return {
    /** @param {Link} next */
    become(next) {
      link = next;
      tell(next);
    },
    /** @param {boolean} isReached */
    answered: isReached => tell(isReached ? link : 'offline'),
  };
}

/**
 * Run soon after the first call, then at most once per span; the last call is never lost.
 *
 * @param {() => void} run
 * @param {{soonMs?: number, spanMs?: number}} [options]
 */
export function throttled(run, {soonMs = 120, spanMs = 1500} = {}) {
  let last = 0;
  /** @type {ReturnType<typeof setTimeout> | null} */
  let timer = null;
  return () => {
    if (timer) return;
    timer = setTimeout(() => {
      timer = null;
      last = Date.now();
      run();
    }, Math.max(soonMs, spanMs - (Date.now() - last)));
  };
}
