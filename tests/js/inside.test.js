import assert from 'node:assert/strict';
import {test} from 'node:test';
import {isInside} from '../../static/src/phone/inside.js';

const square = (/** @type {number} */ west, /** @type {number} */ south, /** @type {number} */ size) =>
  [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]];
const RING = {type: 'Polygon', coordinates: [square(0, 0, 10), square(4, 4, 2)]};

test('a point lies in the shape, not in its hole, not beside it', () => {
  assert.equal(isInside(RING, 1, 1), true);
  assert.equal(isInside(RING, 5, 5), false);
  assert.equal(isInside(RING, 11, 5), false);
  assert.equal(isInside(RING, 5, -1), false);
});

test('a shape of several parts holds what lies in any of them', () => {
  const parts = {type: 'MultiPolygon', coordinates: [RING.coordinates, [square(20, 20, 1)]]};
  assert.equal(isInside(parts, 20.5, 20.5), true);
  assert.equal(isInside(parts, 9, 9), true);
  assert.equal(isInside(parts, 15, 15), false);
});

test('a dented shape and the height of a corner decide nothing wrongly', () => {
  const dented = {type: 'Polygon', coordinates: [[[0, 0], [10, 0], [10, 10], [5, 5], [0, 10], [0, 0]]]};
  assert.equal(isInside(dented, 5, 8), false);
  assert.equal(isInside(dented, 1, 5), true);
  assert.equal(isInside(dented, -1, 5), false);
});
