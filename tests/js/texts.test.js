// Both languages have the same keys and the same placeholders, in every face.

import assert from 'node:assert/strict';
import {readdir, readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {test} from 'node:test';
import {compact, dateText, dayText, percent, setLang, setZone, t, useMessages} from '../../static/src/lib/i18n.js';

const folder = new URL('../../static/src/messages/', import.meta.url);
const areas = (await readdir(folder)).filter(name => name.endsWith('.zh.js')).map(name => name.slice(0, -'.zh.js'.length));

/** @param {string} area @param {string} lang @returns {Promise<Record<string, any>>} */
const messages = async (area, lang) => (await import(new URL(`${area}.${lang}.js`, folder).href)).default;

const holes = (/** @type {any} */ message) =>
  [...new Set((typeof message === 'string' ? message : `${message.one} ${message.other}`).match(/\{\w+\}/g) ?? [])].sort();

for (const area of areas) {
  test(`${area}: Chinese and English have the same keys`, async () => {
    const [zh, en] = await Promise.all([messages(area, 'zh'), messages(area, 'en')]);

    assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  });

  test(`${area}: both languages fill in the same values`, async () => {
    const [zh, en] = await Promise.all([messages(area, 'zh'), messages(area, 'en')]);

    for (const key of Object.keys(zh)) {
      // "1 day" need not say the number.
      const missing = holes(en[key]).filter(hole => !holes(zh[key]).includes(hole));
      assert.deepEqual(missing, [], key);
    }
  });
}

test('every text that the command center asks for by name exists', async () => {
  const known = new Set([...Object.keys(await messages('common', 'zh')), ...Object.keys(await messages('command', 'zh'))]);
  const sources = new URL('../../static/src/command/', import.meta.url);
  const files = [new URL('../../static/src/command.js', import.meta.url), ...(await readdir(sources)).map(name => new URL(name, sources))];
  const asked = (await Promise.all(files.map(file => readFile(fileURLToPath(file), 'utf8')))).flatMap(text => [...text.matchAll(/\bt\('([^']+)'/g)].map(match => match[1]));

  assert.ok(asked.length > 100);
  assert.deepEqual([...new Set(asked)].filter(key => !known.has(key)), []);
});

test('a text is filled in, and one of many is told from several', () => {
  useMessages({zh: {'x.n': '{n} 件'}, en: {'x.n': {one: '1 case', other: '{n} cases'}}});

  setLang('en');
  assert.deepEqual([t('x.n', {n: 1}), t('x.n', {n: 3}), t('x.unknown')], ['1 case', '3 cases', 'x.unknown']);
  setLang('zh');
  assert.equal(t('x.n', {n: 3}), '3 件');
});

test('large figures are told in 万 and 亿 in Chinese, and in K and M in English', () => {
  setLang('zh');
  assert.deepEqual([compact(9999), compact(12_345), compact(302_000), compact(5_980_000), compact(234_000_000)], ['9,999', '1.2万', '30.2万', '598万', '2.3亿']);
  setLang('en');
  assert.deepEqual([compact(9999), compact(302_000), compact(5_980_000)], ['9,999', '302K', '6M']);
  setLang('zh');
});

test('a share that is not known is a dash, not zero', () => {
  assert.equal(percent(null), '–');
  assert.equal(percent(0.931), '93.1%');
});

test('instants are shown on the clock of the city, days are not moved by it', () => {
  setLang('zh');
  setZone('Asia/Shanghai');

  assert.equal(dateText('2026-11-21T20:05:06Z', 'seconds'), '04:05:06');
  assert.equal(dayText('2026-11-21'), '11月21日');
});
