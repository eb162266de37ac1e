// The round without a network: the list and the sheets of the package, drawn on this phone.

import {agoText} from '../lib/dates.js';
import {el, fill, find} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {distanceM, distanceText} from '../lib/units.js';
import {emptyNote} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {drawChecks, startChecks} from './checks.js';
import {here} from './here.js';
import {packageOf, takePackage} from './offline.js';
import {startSheet} from './sheet.js';

const SHEET = /^\/worker\/visits\/([a-z]+)\/(\d+)$/;

/** @param {import('./offline.js').Phone} phone @param {ReturnType<typeof import('./waiting.js').watchWaiting>} waiting @param {any} data */
export async function startRound(phone, waiting, data) {
  const shell = document.getElementById('offline-shell');
  if (shell) { await drawOffline(shell, phone, waiting); return; }
  const form = document.getElementById('visit');
  const asked = document.getElementById('checks');
  if (asked) await startChecks(asked, phone, waiting);
  if (form && data.sheet) await startSheet(form, data.sheet, phone, waiting);
  if (!location.pathname.startsWith('/worker/visits') && location.pathname !== '/worker/') return;
  // Grids were redrawn since: what was taken along belongs to other borders.
  const before = await packageOf(phone);
  const isStale = Boolean(before && data.grids && before.body.grids !== data.grids);
  const kept = await takePackage(phone, isStale).catch(() => before);
  showPackage(kept);
}

/** @param {import('../offline/vault.js').Thing | null} kept */
function showPackage(kept) {
  const line = document.getElementById('package-state');
  if (!line) return;
  line.hidden = false;
  line.className = kept ? 'strip strip-ok' : 'strip';
  fill(line, icon(kept ? 'download' : 'cloud-off'), el('span', null, kept ? t('package.kept', {n: kept.body.sheets.length, ago: agoText(kept.at, Date.now())}) : t('package.none')));
}

/** @param {HTMLElement} shell @param {import('./offline.js').Phone} phone @param {ReturnType<typeof import('./waiting.js').watchWaiting>} waiting */
async function drawOffline(shell, phone, waiting) {
  const kept = await packageOf(phone);
  showPackage(kept);
  if (location.pathname === '/worker/checks' && kept) {
    fill(find('#offline-title'), t('fact.title'));
    const cards = el('div', null);
    fill(shell, cards);
    drawChecks(cards, kept.body.checks ?? []);
    await startChecks(cards, phone, waiting);
    return;
  }
  const asked = SHEET.exec(location.pathname);
  const found = asked && kept?.body.sheets.find((/** @type {any} */ one) => one.subject === asked[1] && String(one.id) === asked[2]);
  window.addEventListener('online', () => fill(find('#offline-lead'), t('package.back')));
  if (found) {
    // A question of several sheets stands once in the package.
    found.items = found.items.map((/** @type {any} */ item) => ({...kept?.body.questions[`${item.key}.${item.no}`], ...item}));
    fill(find('#offline-title'), found.name);
    fill(find('#offline-lead'), `${found.kind} · ${found.grid}`);
    const host = el('form', {class: 'report visit', id: 'visit', novalidate: true});
    fill(shell, host);
    document.querySelector('.tabs')?.remove();
    await startSheet(host, found, phone, waiting);
    return;
  }
  if (asked || !kept) { fill(shell, emptyNote('cloud-off', t(asked ? 'package.not_here' : 'package.none'))); if (!kept) return; }
  const at = await Promise.race([here().catch(() => null), new Promise(resolve => setTimeout(() => resolve(null), 3000))]);
  const made = new Set((await phone.outbox.list()).map(one => one.href));
  const rows = kept.body.sheets.filter((/** @type {any} */ one) => !made.has(`/worker/visits/${one.subject}/${one.id}`)).map((/** @type {any} */ one) => ({...one, far: at ? distanceM([at.lon, at.lat], [one.lon, one.lat]) : null}));
  if (at) rows.sort((/** @type {any} */ a, /** @type {any} */ b) => a.far - b.far);
  shell.append(el('ul', {class: 'rows', id: 'offline-rows'}, rows.map((/** @type {any} */ one) =>
    el('li', null, el('a', {class: 'row', href: `/worker/visits/${one.subject}/${one.id}`},
      el('span', {class: 'row-sign'}, icon(one.sign)),
      el('span', {class: 'row-what'}, el('strong', null, one.name), el('span', null, `${one.kind} · ${one.grid}`), el('span', {class: 'row-state'}, one.forms.map((/** @type {any} */ form) => form.name).join(t('list.comma')))),
      el('span', {class: 'row-when'}, el('span', null, one.far === null ? '' : distanceText(one.far))))))));
}
