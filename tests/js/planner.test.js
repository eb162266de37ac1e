import assert from 'node:assert/strict';
import {test} from 'node:test';
import {queryOf, readBox, readChoice, writeChoice} from '../../static/src/planner/choice.js';
import {snippetsOf} from '../../static/src/planner/snippets.js';

const LAYERS = [
  {id: 'grid', columns: [{name: 'code'}, {name: 'name'}]},
  {id: 'component', columns: [{name: 'code'}, {name: 'state'}]},
];
/** @param {string} search */
const read = search => readChoice(search, /** @type {any} */ (LAYERS), '339901');

test('an address without choices gives the usual ones', () => {
  assert.deepEqual(read(''), {layer: 'grid', area: '339901', bbox: null, columns: null, classes: [], crs: 'CRS84', format: 'geojson'});
});

test('what an address cannot mean is as if it were not there', () => {
  const choice = read('?layer=person&area=33x&bbox=3,2,1,0&columns=password&crs=EPSG:1&format=exe');

  assert.deepEqual(choice, read(''));
});

test('a choice comes back from its own address', () => {
  /** @type {import('../../static/src/planner/choice.js').Choice} */
  const choice = {layer: 'component', area: '339901001', bbox: [120, 29.25, 120.1, 29.35], columns: ['state'], classes: ['01'], crs: 'EPSG:4549', format: 'gpkg'};

  assert.deepEqual(read(writeChoice(choice)), choice);
});

test('a box needs four numbers in order', () => {
  assert.deepEqual(readBox('1,2,3,4'), [1, 2, 3, 4]);
  for (const text of ['', '1,2,3', '1,2,3,nan', '3,2,1,4', '1,4,3,2']) assert.equal(readBox(text), null);
});

test('GeoJSON and map files are asked for without a system: they have one only', () => {
  const choice = {...read(''), crs: 'EPSG:4549'};

  assert.equal(queryOf({...choice, format: 'geojson'}).crs, '');
  assert.equal(queryOf({...choice, format: 'html'}).crs, '');
  assert.equal(queryOf({...choice, format: 'csv'}).crs, 'EPSG:4549');
});

test('the code names the file, the system and the number of rows', () => {
  const about = {rows: 12, metric: 4549, origin: 'https://city.example', today: new Date('2030-01-02T00:00:00Z')};
  const [python, curl] = snippetsOf({...read('?layer=component'), format: 'csv', crs: 'EPSG:4549'}, about);

  assert.match(python.text, /component-20300102\.csv/);
  assert.match(python.text, /points_from_xy\(table\.easting, table\.northing\), crs="EPSG:4549"/);
  assert.match(python.text, /assert len\(gdf\) == 12/);
  assert.match(curl.text, /https:\/\/city\.example\/api\/export\/component\.csv\?area=339901&crs=EPSG%3A4549/);
  assert.equal(snippetsOf({...read(''), format: 'html'}, about).length, 1);
});
