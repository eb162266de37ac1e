import assert from 'node:assert/strict';
import {test} from 'node:test';
import {classOf, classesOf, spreadBreaks} from '../../static/src/map/choropleth.js';
import {declutter} from '../../static/src/map/declutter.js';
import {alongLine, lines} from '../../static/src/map/labels.js';
import {joinEnds} from '../../static/src/map/merge.js';
import {fromGcj02, toGcj02} from '../../static/src/map/shift.js';
import {touches} from '../../static/src/map/source.js';

test('a value on an edge belongs to the class below it', () => {
  const breaks = [0, 3, 8, 17, 34, 96];

  assert.deepEqual([0, 3, 4, 96, 1000].map(value => classOf(value, breaks)), [0, 0, 1, 4, 4]);
});

test('classes whose edges fall together are left out and the colours spread over the others', () => {
  assert.deepEqual(classesOf([0, 0, 0, 2, 5, 9]).map(one => [one.place, one.step]), [[0, 0], [2, 1], [3, 3], [4, 4]]);
  assert.deepEqual(classesOf([0, 0, 0, 0, 0, 0]).map(one => one.step), [0]);
});

test('where most grids have nothing, zero is a class of its own', () => {
  const values = Object.fromEntries([0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4].map((value, place) => [String(place), value]));

  assert.deepEqual(spreadBreaks({values, breaks: [0, 0, 0, 0, 1.8, 4]}), {breaks: [0, 0, 1, 2, 3, 4], isSpread: true});
});

test('classes that tell enough are left as the server has them', () => {
  const breaks = [0, 1, 2, 3, 4, 5];

  assert.deepEqual(spreadBreaks({values: {a: 1, b: 'withheld'}, breaks}), {breaks, isSpread: false});
});

test('points that would lie on one another become one, under the most pressing', () => {
  const groups = declutter([{x: 0, y: 0, id: 'a'}, {x: 9, y: 0, id: 'b'}, {x: 15, y: 0, id: 'c'}, {x: -1, y: -1, id: 'd'}], 10);

  assert.deepEqual(groups.map(group => [group.top.id, group.all.length]), [['a', 3], ['c', 1]]);
});

test('pieces of a street that meet end to end become one line, whichever way they were drawn', () => {
  const joined = joinEnds([[{x: 0, y: 0}, {x: 5, y: 0}], [{x: 9, y: 0}, {x: 5, y: 0}], [{x: 9, y: 0}, {x: 12, y: 3}]]);

  assert.equal(joined.length, 1);
  assert.deepEqual(joined[0].map(point => point.x).sort((a, b) => a - b), [0, 5, 9, 12]);
});

test('streets are not joined where three of them meet', () => {
  const star = [[{x: 0, y: 0}, {x: 5, y: 5}], [{x: 10, y: 0}, {x: 5, y: 5}], [{x: 5, y: 10}, {x: 5, y: 5}]];

  assert.equal(joinEnds(star).length, 3);
});

test('a ring that was cut in two is joined without end', () => {
  const ring = joinEnds([[{x: 0, y: 0}, {x: 5, y: 5}], [{x: 5, y: 5}, {x: 0, y: 0}]]);

  assert.equal(ring.length, 1);
});

test('a Chinese name stands upright along a street that runs north to south', () => {
  const [glyphs] = alongLine([{x: 0, y: 200}, {x: 0, y: 0}], [14, 14, 14], true, 400);

  assert.ok(glyphs.every(glyph => Math.abs(glyph.turn) < 1e-9));
  assert.ok(glyphs[0].y < glyphs[1].y && glyphs[1].y < glyphs[2].y, 'it reads downwards');
});

test('a name never stands on its head', () => {
  const [glyphs] = alongLine([{x: 200, y: 10}, {x: 0, y: 0}], [8, 8, 8], false, 400);

  assert.ok(glyphs.every(glyph => Math.abs(glyph.turn) < Math.PI / 2));
  assert.ok(glyphs[0].x < glyphs[2].x, 'it reads from left to right');
});

test('a line too short or too bent for a name gets none', () => {
  assert.deepEqual(alongLine([{x: 0, y: 0}, {x: 20, y: 0}], [14, 14, 14], true, 400), []);
  assert.deepEqual(alongLine([{x: 0, y: 0}, {x: 25, y: 0}, {x: 25, y: 25}, {x: 0, y: 25}], [20, 20, 20], false, 400), []);
});

test('long names break into lines of equal length, words stay whole', () => {
  assert.deepEqual(lines('青溪街道办事处便民服务中心', 8), ['青溪街道办事处', '便民服务中心']);
  assert.deepEqual(lines('Saint John Square', 6), ['Saint John', 'Square']);
});

test('tiles outside the city are not asked for', () => {
  assert.equal(touches({z: 10, x: 853, y: 424}, [120.0, 29.2, 120.2, 29.4]), true);
  assert.equal(touches({z: 10, x: 100, y: 424}, [120.0, 29.2, 120.2, 29.4]), false);
});

test('the shift of commercial base maps is about half a kilometre in Zhejiang and can be undone', () => {
  const [lon, lat] = toGcj02(120.0751, 29.3068);
  const [backLon, backLat] = fromGcj02(lon, lat);
  const metres = Math.hypot((lon - 120.0751) * 97_000, (lat - 29.3068) * 110_900);

  assert.ok(metres > 300 && metres < 700, `${metres}`);
  assert.ok(Math.abs(backLon - 120.0751) < 1e-8 && Math.abs(backLat - 29.3068) < 1e-8);
});

test('outside China there is no shift', () => {
  assert.deepEqual(toGcj02(9.52, 47.14), [9.52, 47.14]);
});
