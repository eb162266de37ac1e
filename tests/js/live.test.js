import assert from 'node:assert/strict';
import {mock, test} from 'node:test';
import {ApiError, retrying, urlOf} from '../../static/src/lib/api.js';
import {createCaseList} from '../../static/src/command/case-list.js';
import {createLinkState, createLive, throttled} from '../../static/src/lib/live.js';
import {readCoordinates} from '../../static/src/ui/search.js';

class Source extends EventTarget {
  /** @type {Source[]} */
  static made = [];

  /** @param {string} url */
  constructor(url) {
    super();
    this.url = url;
    this.readyState = 1;
    Source.made.push(this);
  }

  close() { this.readyState = 2; }
}

const live = (/** @type {any} */ more = {}) => {
  Source.made = [];
  /** @type {string[]} */
  const heard = [];
  const link = createLive({
    url: 'http://city/live?area=33', Source: /** @type {any} */ (Source), onNews: news => heard.push(`news ${news.feed}`), onReload: () => heard.push('reload'),
    onLink: state => heard.push(state), poll: async () => true, ...more,
  });
  return {heard, link, source: Source.made[0]};
};

const news = (/** @type {number} */ feed) => Object.assign(new Event('incident'), {data: JSON.stringify({feed})});

test('the same news heard twice is told once', () => {
  const {heard, source, link} = live();

  source.dispatchEvent(new Event('open'));
  source.dispatchEvent(news(7));
  source.dispatchEvent(news(7));
  source.dispatchEvent(news(8));

  assert.deepEqual(heard, ['live', 'news 7', 'news 8']);
  link.close();
});

test('a broken stream is replaced by asking every ten seconds until it is back', async () => {
  mock.timers.enable({apis: ['setInterval', 'setTimeout']});
  let asked = 0;
  const {heard, source, link} = live({poll: async () => { asked += 1; return asked < 2; }});
  source.dispatchEvent(new Event('open'));

  source.dispatchEvent(new Event('error'));
  mock.timers.tick(10_000);
  await Promise.resolve();
  mock.timers.tick(10_000);
  await Promise.resolve();
  await Promise.resolve();
  source.dispatchEvent(new Event('open'));
  mock.timers.tick(30_000);

  assert.equal(asked, 2);
  assert.deepEqual(heard, ['live', 'polling', 'offline', 'live', 'reload']);
  link.close();
  mock.timers.reset();
});

test('a stream that was refused is opened again later, from the last news on', () => {
  mock.timers.enable({apis: ['setInterval', 'setTimeout']});
  const {source, link} = live();
  source.dispatchEvent(news(41));

  source.readyState = 2;
  source.dispatchEvent(new Event('error'));
  mock.timers.tick(15_000);

  assert.equal(Source.made.length, 2);
  assert.equal(Source.made[1].url, 'http://city/live?area=33&last=41');
  link.close();
  mock.timers.reset();
});

test('many calls run once soon and once more at the end of the span', () => {
  mock.timers.enable({apis: ['setTimeout', 'Date'], now: 1_000_000});
  let ran = 0;
  const call = throttled(() => { ran += 1; }, {soonMs: 100, spanMs: 1000});

  call();
  call();
  mock.timers.tick(100);
  assert.equal(ran, 1);
  call();
  mock.timers.tick(500);
  assert.equal(ran, 1);
  mock.timers.tick(500);
  assert.equal(ran, 2);
  mock.timers.reset();
});

const rowsOf = (/** @type {number} */ from, /** @type {number} */ to) => Array.from({length: to - from}, (_, place) => ({id: `c${from + place}`}));

test('the list shows the first page at once and the rest as it comes', async () => {
  /** @type {number[]} */
  const shown = [];
  const pages = [{items: rowsOf(0, 60), next: 'x', total: 90, facets: {}}, {items: rowsOf(60, 90), next: null}];
  const list = createCaseList({filter: () => ({}), hear: cases => shown.push(cases.rows.length), read: async () => pages.shift()});

  await list.load({isFresh: true});

  assert.deepEqual(shown, [0, 60, 90, 90]);
  assert.equal(list.get().isLoading, false);
});

test('a refresh tells what is new and never empties the list meanwhile', async () => {
  /** @type {[number, string[]][]} */
  const heard = [];
  const answers = [{items: rowsOf(0, 3), next: null, total: 3, facets: {}}, {items: rowsOf(0, 4), next: null, total: 4, facets: {}}];
  const list = createCaseList({filter: () => ({}), hear: (cases, fresh) => heard.push([cases.rows.length, [...fresh]]), read: async () => answers.shift()});
  await list.load({isFresh: true});
  heard.length = 0;

  await list.load();

  assert.deepEqual(heard, [[3, []], [4, ['c3']]]);
});

test('a failed refresh keeps the rows and says so', async () => {
  let fails = false;
  const list = createCaseList({
    filter: () => ({}), hear: () => {},
    read: async () => { if (fails) throw new ApiError({status: 503, code: 'try_again'}); return {items: rowsOf(0, 2), next: null, total: 2, facets: {}}; },
  });
  await list.load({isFresh: true});
  fails = true;

  await list.load();

  assert.equal(list.get().rows.length, 2);
  assert.ok(list.get().error instanceof ApiError);
});

test('a request is repeated while the failure is temporary, and not otherwise', async () => {
  let tries = 0;
  const wait = async () => {};

  const answer = await retrying(async () => { tries += 1; if (tries < 3) throw new ApiError({status: 503, code: 'try_again'}); return 'done'; }, {wait});
  await assert.rejects(retrying(async () => { tries += 1; throw new ApiError({status: 409, code: 'incident.changed'}); }, {wait}), {code: 'incident.changed'});

  assert.equal(answer, 'done');
  assert.equal(tries, 4);
});

test('empty parameters are left out of an address', () => {
  assert.equal(urlOf('/api/x', {a: '', b: null, c: 0, d: '井 盖'}), '/api/x?c=0&d=%E4%BA%95+%E7%9B%96');
});

test('coordinates are read in either order, full-width comma too, only where the city is', () => {
  /** @type {[number, number, number, number]} */
  const bounds = [120, 29, 120.5, 29.5];

  assert.deepEqual(readCoordinates('120.1, 29.3', bounds), [120.1, 29.3]);
  assert.deepEqual(readCoordinates('29.3，120.1', bounds), [120.1, 29.3]);
  assert.equal(readCoordinates('9.5, 47.1', bounds), null);
  assert.equal(readCoordinates('江滨路 88', bounds), null);
});

test('a question without an answer says offline, the next answer says what the link was', () => {
  /** @type {string[]} */
  const shown = [];
  const state = createLinkState(link => shown.push(link));

  state.become('live');
  state.answered(true);
  state.answered(false);
  state.answered(false);
  state.answered(true);

  assert.deepEqual(shown, ['live', 'offline', 'live']);
});
