// The service worker of the grid worker's application. It answers GET only and never touches a
// POST or PUT: what waits to be sent is the outbox's. It keeps the built files and one page
// without anybody's data, which stands in for every page while there is no network.

const CACHE = `wangge-shell-${__BUILD__}`;
const SHELL = '/worker/offline';
const FILES = ['worker.js', 'worker.css', 'icons.svg', 'logo.svg', 'empty.gif'].map(name => `/assets/${__MANIFEST__[name]}`);

const scope = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

// The old shell stays until the new one is complete: `addAll` takes all or nothing.
scope.addEventListener('install', event => {
  event.waitUntil(caches.open(CACHE).then(cache => cache.addAll([SHELL, ...FILES])).then(() => scope.skipWaiting()));
});

scope.addEventListener('activate', event => {
  event.waitUntil(caches.keys()
    .then(names => Promise.all(names.filter(name => name.startsWith('wangge-shell-') && name !== CACHE).map(name => caches.delete(name))))
    .then(() => scope.clients.claim()));
});

/** @param {Request} request */
async function page(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const shell = await caches.match(SHELL);
    if (shell) return shell;
    throw error;
  }
}

/** @param {Request} request */
const file = async request => (await caches.match(request)) ?? fetch(request);

scope.addEventListener('fetch', event => {
  const {request} = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate') event.respondWith(page(request));
  else if (FILES.includes(url.pathname)) event.respondWith(file(request));
});
