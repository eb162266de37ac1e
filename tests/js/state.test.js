import assert from 'node:assert/strict';
import {test} from 'node:test';
import {BLANK, filterOf, isFiltered, listOf, readState, writeState} from '../../static/src/command/state.js';

const CASE = '0f9b2c3d-1111-4222-8333-444455556666';

test('an address written from a state reads back as the same state', () => {
  const state = {
    ...BLANK, at: {zoom: 14, lat: 29.30617, lon: 120.07512}, theme: /** @type {const} */ ('people'), layers: ['grid', 'component'], area: '339901001',
    status: 'handling', risk: 'late', q: '井盖 & 路灯', category: '01', grid: '339901001001001', opened: CASE, from: '2026-11-01', to: '2026-11-14',
  };

  assert.deepEqual(readState(writeState(state)), state);
});

test('the usual state has an empty address', () => {
  assert.equal(writeState(BLANK), '');
});

test('no layers chosen is not the same as the usual layers', () => {
  assert.deepEqual(readState('?layers=').layers, []);
  assert.equal(readState('').layers, null);
});

test('what makes no sense in an address is as if it were not there', () => {
  const state = readState('?at=99/x/1&theme=fire&grid=<b>&case=1&from=2026-02-02&to=2026-01-01&status=A;B');

  assert.deepEqual(state, BLANK);
});

test('the wall keeps its switch', () => {
  assert.equal(writeState({...BLANK, risk: 'late'}, '?wall=1&risk=soon'), '?wall=1&risk=late');
});

test('without a wish only open cases are asked for; words and periods look everywhere', () => {
  assert.equal(filterOf(BLANK).status, 'open');
  assert.equal(filterOf({...BLANK, q: '000123'}).status, '');
  assert.equal(filterOf({...BLANK, from: '2026-11-01', to: '2026-11-02'}).status, '');
  assert.equal(filterOf({...BLANK, status: 'all'}).status, '');
  assert.equal(filterOf({...BLANK, q: '000123', status: 'handling'}).status, 'handling');
});

test('the last day of a period is included', () => {
  assert.equal(filterOf({...BLANK, from: '2026-12-31', to: '2026-12-31'}).to, '2027-01-01');
});

test('an area alone is no filter', () => {
  assert.equal(isFiltered({...BLANK, area: '339901001'}), false);
  assert.equal(isFiltered({...BLANK, grid: '339901001001001'}), true);
});

test('a figure opens what it counts, whatever was filtered before', () => {
  const before = {...BLANK, risk: 'ok', grid: '339901001001001', q: 'x'};

  assert.deepEqual({...before, ...listOf('late', '2026-11-21')}, {...BLANK, risk: 'late'});
  assert.deepEqual(filterOf({...before, ...listOf('reported_today', '2026-11-21')}), {
    area: '', status: '', risk: '', q: '', category: '', grid: '', from: '2026-11-21', to: '2026-11-22',
  });
  assert.equal(listOf('on_time_month', '2026-11-21').from, '2026-11-01');
});
