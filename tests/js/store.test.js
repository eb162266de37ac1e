import assert from 'node:assert/strict';
import {test} from 'node:test';
import {createStore, same} from '../../static/src/lib/store.js';

test('a listener hears only of the keys it asked for, once per change', () => {
  const store = createStore({a: 1, b: 1, c: 1});
  /** @type {string[][]} */
  const heard = [];
  store.on(['a', 'b'], (_state, changed) => heard.push([...changed]));

  store.set({c: 2});
  store.set({a: 2, b: 2});

  assert.deepEqual(heard, [['a', 'b']]);
});

test('equal values are no change, also inside lists and objects', () => {
  const store = createStore({layers: ['a', 'b'], at: {lon: 1, lat: 2}});
  let heard = 0;
  store.on(null, () => { heard += 1; });

  store.set({layers: ['a', 'b'], at: {lon: 1, lat: 2}});

  assert.equal(heard, 0);
});

test('the state cannot be changed behind the back of the store', () => {
  const store = createStore({a: 1});

  assert.throws(() => { /** @type {any} */ (store.get()).a = 2; }, TypeError);
});

test('a listener that left hears no more', () => {
  const store = createStore({a: 1});
  let heard = 0;
  const stop = store.on(null, () => { heard += 1; });

  stop();
  store.set({a: 2});

  assert.equal(heard, 0);
});

test('a list is not an object with the same keys', () => {
  assert.equal(same([1], {0: 1}), false);
  assert.equal(same(null, {}), false);
});
