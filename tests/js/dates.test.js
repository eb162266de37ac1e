import assert from 'node:assert/strict';
import {test} from 'node:test';
import {cityInstant, dayCount, shiftDay, spanText, timeLeft} from '../../static/src/lib/dates.js';
import {setLang, useMessages} from '../../static/src/lib/i18n.js';
import en from '../../static/src/messages/common.en.js';
import zh from '../../static/src/messages/common.zh.js';

useMessages({zh, en});
setLang('zh');
const NOW = Date.parse('2026-11-21T10:00:00Z');
const after = (/** @type {number} */ minutes) => new Date(NOW + minutes * 60_000).toISOString();

test('a field of day and time means the clock of the city, wherever the screen stands', () => {
  assert.equal(cityInstant('2026-11-23T15:00', 'Asia/Shanghai'), '2026-11-23T07:00:00.000Z');
  assert.equal(cityInstant('2026-03-29T12:30', 'Europe/Berlin'), '2026-03-29T10:30:00.000Z');
  assert.equal(cityInstant('2026-01-10T12:30', 'America/New_York'), '2026-01-10T17:30:00.000Z');
});

test('below one day hours and minutes are left, from one day on whole days', () => {
  assert.equal(spanText(51 * 60_000), '0:51');
  assert.equal(spanText(190 * 60_000), '3:10');
  assert.equal(spanText(23 * 3_600_000 + 59 * 60_000), '23:59');
  assert.equal(spanText(47 * 3_600_000), '1 天');
});

test('a case that passed its limit since the server judged it is late', () => {
  assert.deepEqual(timeLeft({due_at: after(-42), risk: 'soon'}, NOW), {risk: 'late', text: '超 0:42'});
});

test('a case that was late and got a new limit is not late any more', () => {
  assert.deepEqual(timeLeft({due_at: after(60), risk: 'late'}, NOW), {risk: 'soon', text: '剩 1:00'});
});

test('a paused or finished case has no time left to tell', () => {
  assert.equal(timeLeft({due_at: after(-42), risk: 'paused'}, NOW).text, '已暂停');
  assert.equal(timeLeft({due_at: null, risk: 'done'}, NOW).text, '已办结');
  assert.deepEqual(timeLeft({due_at: null, risk: 'ok'}, NOW), {risk: 'ok', text: '无时限'});
});

test('days are counted over the ends of months and summer time', () => {
  assert.equal(shiftDay('2026-12-31', 1), '2027-01-01');
  assert.equal(shiftDay('2026-03-01', -1), '2026-02-28');
  assert.equal(dayCount('2026-03-28', '2026-03-30'), 3);
});
