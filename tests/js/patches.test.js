import assert from 'node:assert/strict';
import {test} from 'node:test';
import {createPatches, loadStep, unrolled} from '../../static/src/data/patches.js';

// Two squares side by side, the second with a hole, as the server writes them.
const GROUND = {
  scale: 1000, owner: [0, 1],
  rings: [[[0, 0, 4, 0, 0, 4, -4, 0]], [[4, 0, 4, 0, 0, 4, -4, 0], [5, 1, 2, 0, 0, 2, -2, 0]]],
};

test('labels come back from their runs', () => {
  assert.deepEqual([...unrolled([3, 2, 7, 1])], [3, 3, 7]);
  assert.deepEqual([...unrolled([])], []);
});

test('patches that share a side know each other', () => {
  const {sides} = createPatches(GROUND);
  const common = sides.filter(side => side.other >= 0);
  assert.deepEqual(common.map(({x1, y1, x2, y2}) => [x1, y1, x2, y2]), [[4, 0, 4, 4]]);
  assert.equal(sides.length, 11);
});

test('a place finds its patch, and nothing in a hole or outside', () => {
  const patches = createPatches(GROUND);
  assert.equal(patches.at(0.001, 0.002), 0);
  assert.equal(patches.at(0.0075, 0.002), 1);
  assert.equal(patches.at(0.006, 0.002), -1);
  assert.equal(patches.at(0.02, 0.002), -1);
});

test('the box of chosen patches is given as a map takes it', () => {
  assert.deepEqual(createPatches(GROUND).boxOf(patch => patch === 1), [[0, 0.004], [0.004, 0.008]]);
  assert.equal(createPatches(GROUND).boxOf(() => false), null);
});

test('work is told in five steps around the mean', () => {
  assert.deepEqual([60, 80, 100, 120, 140].map(hours => loadStep(hours, 100)), [0, 1, 2, 3, 4]);
  assert.equal(loadStep(5, 0), 0);
});
