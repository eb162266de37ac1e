// The desk's own rules: the address is the state, the server's clock counts, rows keep their place.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {createClock} from '../../static/src/dispatch/clock.js';
import {createDrafts} from '../../static/src/dispatch/drafts.js';
import {createRows} from '../../static/src/dispatch/rows.js';
import {BLANK, belongs, filterOf, fromSaved, readState, savedOf, toggled, writeState} from '../../static/src/dispatch/state.js';

const CASE = '0f9b2c3d-1111-4222-8333-444455556666';

test('an address written from a state reads back as the same state', () => {
  const state = {...BLANK, at: {zoom: 14, lat: 29.30617, lon: 120.07512}, sort: /** @type {const} */ ('new'), status: 'pending_dispatch,handling', risk: 'late',
    area: '339901001,339901002', category: '01002', channel: 'phone', q: '井盖 & 路灯', from: '2026-11-01', to: '2026-11-14', bbox: '120.1,29.2,120.2,29.3', opened: CASE};

  assert.deepEqual(readState(writeState(state)), state);
  assert.equal(writeState(BLANK), '');
  assert.deepEqual(readState('?at=99/x/1&grid=<b>&case=1&from=2026-02-02&to=2026-01-01&status=A;B&sort=odd'), BLANK);
});

test('without a wish open cases are asked for; words look everywhere; the last day is meant whole', () => {
  assert.equal(filterOf(BLANK).status, 'open');
  assert.equal(filterOf({...BLANK, q: '井盖'}).status, undefined);
  assert.equal(filterOf({...BLANK, from: '2026-11-01', to: '2026-11-02'}).to, '2026-11-03');
});

test('a saved filter brings back what limits and clears the rest', () => {
  const state = {...BLANK, risk: 'late', sort: /** @type {const} */ ('new')};

  assert.deepEqual(savedOf(state), {risk: 'late', sort: 'new'});
  assert.deepEqual({...BLANK, q: 'x', ...fromSaved(savedOf(state))}, state);
  assert.equal(toggled(toggled('a', 'b'), 'a'), 'b');
});

test('a case belongs to the queue as long as its state is asked for', () => {
  const row = {status: 'pending_sign', risk: 'ok'};

  assert.equal(belongs(BLANK, row), true);
  assert.equal(belongs({...BLANK, status: 'pending_dispatch'}, row), false);
  assert.equal(belongs(BLANK, {status: 'closed', risk: 'done'}), false);
});

test('the time is the server\'s, whatever the clock of this machine says', () => {
  let ticks = 5000;
  const clock = createClock('2026-11-22T04:00:00Z', {ticks: () => ticks, wroteAt: 5000});
  ticks = 65_000;
  assert.equal(clock.iso(), '2026-11-22T04:01:00.000Z');

  clock.correct('2026-11-22T05:00:00Z', 65_000);
  assert.equal(clock.iso(), '2026-11-22T05:00:00.000Z');

  ticks = 90_000;
  clock.correct('2030-01-01T00:00:00Z', 65_000);
  assert.equal(clock.iso(), '2026-11-22T05:00:25.000Z', 'an answer that was long under way says little');
});

test('news changes rows where they stand, and what is new waits above', async () => {
  const row = (/** @type {string} */ id, more = {}) => ({id, status: 'handling', ...more});
  /** @type {any[]} */
  const answers = [{items: [row('a'), row('b')], next: null}, {items: [row('new'), row('b', {status: 'pending_review'})], next: null}];
  const rows = createRows({filter: () => ({}), sort: () => 'risk', hear() {}, read: async () => answers.shift()});

  await rows.load({isFresh: true});
  await rows.watch();

  const {rows: shown, pending, gone} = rows.get();
  assert.deepEqual(shown.map(one => `${one.id} ${one.status}`), ['a handling', 'b pending_review']);
  assert.deepEqual([[...pending], [...gone]], [['new'], ['a']]);
});

test('of two copies of a draft the newer one counts, and files are not kept', async () => {
  const kept = new Map();
  const store = /** @type {any} */ ({getItem: (/** @type {string} */ key) => kept.get(key) ?? null, setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value), removeItem: (/** @type {string} */ key) => kept.delete(key)});
  const server = {draft: {action: 'dispatch', fields: {note: 'older'}, at: '1970-01-01T00:00:01Z'}};
  const drafts = createDrafts({account: 1, now: () => 5000, store, read: async () => server, send: async () => null});
  drafts.keep(CASE, 'dispatch', {note: 'newer', photos: [{size: 1}], department: null});

  assert.deepEqual(await drafts.of(CASE), {action: 'dispatch', fields: {note: 'newer'}, at: 5000});
  server.draft.at = '1970-01-01T00:00:09Z';
  assert.equal((await drafts.of(CASE))?.fields.note, 'older');
  await drafts.drop(CASE);
  assert.equal(kept.size, 0);
});
