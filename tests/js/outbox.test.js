import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ApiError} from '../../static/src/lib/api.js';
import {applies, needed, wrong} from '../../static/src/offline/asking.js';
import {createOutbox} from '../../static/src/offline/outbox.js';

/** A vault in memory, with what the real one promises. */
function memory() {
  /** @type {Map<string, any>} */
  const things = new Map();
  return /** @type {any} */ ({
    things,
    put: async (/** @type {any} */ meta, /** @type {any} */ body, /** @type {any[]} */ shots = []) => void things.set(meta.id, {...meta, body, shots}),
    mark: async (/** @type {string} */ id, /** @type {any} */ change) => void things.set(id, {...things.get(id), ...change}),
    get: async (/** @type {string} */ id) => things.get(id) ?? null,
    list: async (/** @type {string} */ kind) => [...things.values()].filter(one => one.kind === kind),
    remove: async (/** @type {string} */ id) => void things.delete(id),
  });
}

const shown = {name: '老街面馆', href: '/worker/visits/premises/1'};
const photo = {key: 'premises.photo', type: 'image/jpeg', bytes: new ArrayBuffer(3)};
const proof = {key: 'small_premises.S10', type: 'image/jpeg', bytes: new ArrayBuffer(4)};

/** @param {{fail?: (id: string, n: number) => unknown, prepare?: () => Promise<void>}} [options] */
function box({fail = () => null, prepare} = {}) {
  const vault = memory();
  /** @type {{id: string, body: any}[]} */
  const calls = [];
  /** @type {number[]} */
  const blobs = [];
  const outbox = createOutbox({
    vault, prepare,
    sendBlob: async bytes => { blobs.push(bytes.byteLength); return {sha256: `hash-${bytes.byteLength}`}; },
    sendVisit: async (id, body) => {
      calls.push({id, body});
      const error = fail(id, calls.length);
      if (error) throw error;
      return {id, asked: 1};
    },
  });
  return {vault, outbox, calls, blobs};
}

const problem = (/** @type {number} */ status, code = `http.${status}`) => new ApiError({status, code, detail: 'why'});

test('photos go before the visit that names them, and it leaves the phone with the answer only', async () => {
  const {vault, outbox, calls, blobs} = box();
  await outbox.add('a', shown, {answers: {'premises.gas': 'none'}, photos: {}, photo_answers: ['premises.photo']}, [photo, proof]);

  const result = await outbox.flush();

  assert.deepEqual(blobs, [3, 4]);
  assert.deepEqual(calls[0].body, {answers: {'premises.gas': 'none', 'premises.photo': 'hash-3'}, photos: {'small_premises.S10': 'hash-4'}});
  assert.equal(result.sent.length, 1);
  assert.equal(vault.things.size, 0);
});

test('without an answer everything stays, and the same id goes again', async () => {
  const {vault, outbox, calls} = box({fail: (_id, n) => (n === 1 ? problem(0, 'network.unreachable') : null)});
  await outbox.add('a', shown, {answers: {}}, []);
  await outbox.add('b', shown, {answers: {}}, []);

  const first = await outbox.flush();
  assert.deepEqual([first.sent.length, first.left, vault.things.size], [0, 2, 2]);
  const second = await outbox.flush();

  assert.deepEqual(calls.map(one => one.id), ['a', 'a', 'b']);
  assert.deepEqual([second.sent.length, second.left], [2, 0]);
});

test('a refusal stays with its reason and does not stop the next', async () => {
  const {outbox, calls} = box({fail: id => (id === 'a' ? problem(422, 'ledger.missing') : null)});
  await outbox.add('a', shown, {answers: {}}, []);
  await outbox.add('b', shown, {answers: {}}, []);

  const result = await outbox.flush();
  const [kept] = await outbox.list();

  assert.deepEqual([result.sent.length, result.refused, result.left], [1, 1, 0]);
  assert.equal(kept.problem.code, 'ledger.missing');
  await outbox.flush();
  assert.deepEqual(calls.map(one => one.id), ['a', 'b'], 'what was refused is not sent by itself again');
});

for (const error of [problem(401), problem(429), problem(503), problem(403, 'request.forged')]) {
  test(`${error.status} ${error.code} is no refusal`, async () => {
    const {outbox} = box({fail: () => error});
    await outbox.add('a', shown, {answers: {}}, []);

    const result = await outbox.flush();

    assert.equal(result.refused, 0);
    assert.equal(result.left, 1);
    assert.equal(result.error, error);
  });
}

test('nothing leaves while somebody else is signed in', async () => {
  const {outbox, calls} = box({prepare: async () => { throw problem(401, 'sign_in.needed'); }});
  await outbox.add('a', shown, {answers: {}}, []);

  const result = await outbox.flush();

  assert.equal(calls.length, 0);
  assert.equal(result.left, 1);
});

test('what is added while others are sent goes right after them, and both are told', async () => {
  /** @type {() => void} */
  let open = () => {};
  const gate = new Promise(resolve => { open = () => resolve(undefined); });
  const {outbox, calls} = box({prepare: async () => { await gate; }});
  await outbox.add('a', shown, {answers: {}}, []);
  const first = outbox.flush();
  await new Promise(resolve => setTimeout(resolve));
  await outbox.add('b', shown, {answers: {}}, []);
  const second = outbox.flush();
  open();

  assert.deepEqual((await first).sent.map(one => one.id), ['a']);
  assert.deepEqual((await second).sent.map(one => one.id), ['a', 'b']);
  assert.deepEqual(calls.map(one => one.id), ['a', 'b']);
});

test('two calls at once send a thing once', async () => {
  const {outbox, calls} = box();
  await outbox.add('a', shown, {answers: {}}, []);

  await Promise.all([outbox.flush(), outbox.flush()]);

  assert.equal(calls.length, 1);
});

/** @param {Partial<import('../../static/src/offline/asking.js').Item>} more */
const item = more => /** @type {import('../../static/src/offline/asking.js').Item} */ ({key: 'a', type: 'choice', conditions: [], known: null, last: null, checks: {}, options: [], ...more});

test('a condition is met by any of its answers, also inside several choices', () => {
  const alarm = item({key: 'alarm', conditions: [['gas', ['bottled', 'piped']], ['needs', ['x']]]});

  assert.equal(applies(alarm, {gas: 'piped'}), true);
  assert.equal(applies(alarm, {needs: ['y', 'x']}), true);
  assert.equal(applies(alarm, {gas: 'none'}), false);
  assert.equal(applies(alarm, {}), false);
});

test('what still holds is not needed, and decides what else applies', () => {
  const gas = item({key: 'gas', known: {value: 'bottled', words: '', at: '', on: '', by: ''}});
  const alarm = item({key: 'alarm', conditions: [['gas', ['bottled']]]});

  assert.deepEqual(needed([gas, alarm], {}).map(one => one.key), ['alarm']);
  assert.deepEqual(needed([gas, alarm], {gas: 'none'}), []);
});

test('numbers are held against the limits of the question', () => {
  const staff = item({type: 'number', checks: {min: 0, max: 50, whole: true}});

  assert.deepEqual(['3', '51', 'x', '2.5', '-1'].map(value => wrong(staff, value)), ['', 'range', 'range', 'whole', 'range']);
});

test('answers to questions go out beside visits, each to its own address, the oldest first', async () => {
  const vault = memory();
  /** @type {string[]} */
  const calls = [];
  const outbox = createOutbox({
    vault,
    sendBlob: async () => ({sha256: ''}),
    sendVisit: async id => { calls.push(`visit ${id}`); return {id}; },
    sendCheck: async (id, body) => { calls.push(`check ${id} ${body.answer}`); return {id}; },
  });
  await outbox.add('a', {name: '员工数', href: '/worker/checks', kind: 'check', check: 7}, {check: 7, answer: 'gone'}, []);
  vault.things.get('a').at = '2026-01-01T00:00:00Z';
  await outbox.add('b', shown, {answers: {}}, []);

  assert.deepEqual((await outbox.list()).map(one => one.id), ['a', 'b']);
  const {sent, left} = await outbox.flush();

  assert.deepEqual(calls, ['check a gone', 'visit b']);
  assert.deepEqual([sent.length, left], [2, 0]);
});
