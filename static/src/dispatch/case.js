// The case pane: facts, photos before and after, cases that may be the same, every event,
// and what this person may do now. It never says "done" before the server does.

import {ApiError, getJson} from '../lib/api.js';
import {agoText, timeLeft} from '../lib/dates.js';
import {el, fill} from '../lib/dom.js';
import {dateText, t} from '../lib/i18n.js';
import {emptyNote, errorNote, errorText, skeleton} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {reporterButton} from '../ui/reporter.js';
import {RISK_ICONS} from '../ui/signs.js';
import {timelineOf} from '../ui/timeline.js';
import {createDeed} from './deed.js';
import {duplicatesOf, openTwins, twinList} from './duplicates.js';
import {originOf} from './origin.js';
import {openPhotos, photosOf} from './photos.js';
import {restsOf} from './told.js';

/** @typedef {import('../ui/timeline.js').Photo} Photo */
/** @typedef {{action: string, name: string, requires: any[], primary: boolean}} Action */
/** @typedef {import('./rows.js').Row & {text: string | null, photos: Photo[], events: import('../ui/timeline.js').Event[], actions: Action[], has_contact?: boolean, moratorium?: import('./told.js').Rests | null, origin?: import('./origin.js').Origin | null, hand_over?: {url: string, name: string} | null, ways?: import('./origin.js').Way[]}} CaseFile */

const TICK_MS = 5000;

/**
 * @param {HTMLElement} host
 * @param {{now: () => number, iso: () => string, drafts: ReturnType<typeof import('./drafts.js').createDrafts>, claims: ReturnType<typeof import('./claims.js').createClaims>,
 *   claimOf: (id: string) => import('./rows.js').Claim | null | undefined,
 *   onLoaded: (file: CaseFile) => void, onDone: (done: import('./deed.js').Done) => void, onLocate: (row: CaseFile) => void, onOpen: (id: string) => void, onGrid: (code: string) => void,
 *   onLeave: () => void, onExpired: () => void, onCopy: (text: string) => void, toast: (text: string, options?: any) => void}} options
 */
export function createCase(host, {now, iso, drafts, claims, claimOf, onLoaded, onDone, onLocate, onOpen, onGrid, onLeave, onExpired, onCopy, toast}) {
  /** @type {CaseFile | null} */
  let file = null;
  let wanted = '';
  /** @type {AbortController | null} */
  let running = null;
  /** @type {import('./duplicates.js').Twin[] | null} */
  let twins = null;
  /** What a key asked for before the case was there. @type {{id: string, act: () => void} | null} */
  let waiting = null;
  /** Whether a newer file is on its way: what is shown may not be what is allowed. */
  let isOld = false;

  const head = el('header', {class: 'case-head'});
  const claimBar = el('div', {class: 'claim-bar', role: 'status'});
  const body = el('div', {class: 'case-body', tabindex: '0', role: 'group', 'aria-label': t('case.title')});
  const foot = el('footer', {class: 'case-actions'});
  const countdown = el('span', {class: 'badge'});
  const twinBox = el('section', {class: 'twin-box', hidden: true});
  const deed = createDeed(foot, {
    iso, drafts, claims, onExpired, toast,
    onDone: async done => {
      isOld = true;
      onDone(done);
      await load(done.file.id, {isQuiet: true});
    },
    onConflict: id => load(id, {isQuiet: true}),
    onTwins: openTwinsNow,
    onClosed: () => { if (host.contains(document.activeElement) || document.activeElement === document.body) focus(); },
  });

  /** @param {string} id @param {{isQuiet?: boolean}} [options] */
  async function load(id, {isQuiet = false} = {}) {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    if (!isQuiet) drawLoading();
    try {
      const next = await getJson(`/api/incidents/${id}`, {signal: mine.signal});
      if (running !== mine || wanted !== id) return;
      const isSame = file?.id === id;
      file = next;
      isOld = false;
      draw();
      onLoaded(next);
      if (!isSame) {
        deed.show(next);
        loadTwins(id, mine.signal);
        deed.resume(next);
      } else deed.renew(next);
      act();
    } catch (error) {
      if (running !== mine || (error instanceof DOMException && error.name === 'AbortError')) return;
      if (error instanceof ApiError && error.status === 401) onExpired();
      isOld = false;
      waiting = null;
      if (isQuiet && file) toast(errorText(error), {tone: 'late'});
      else {
        file = null;
        fill(host, el('div', {class: 'case-failed'}, errorNote(error, () => load(id))));
      }
    }
  }

  function act() {
    if (waiting?.id === file?.id) waiting?.act();
    waiting = null;
  }

  function drawLoading() {
    file = null;
    twins = null;
    deed.reset();
    fill(host, el('header', {class: 'case-head'}, el('h2', {class: 'ellipsis muted', tabindex: '-1'}, t('case.loading'))), el('div', {class: 'case-body', 'aria-busy': 'true'}, skeleton(1, 'photo'), skeleton(5)));
  }

  function draw() {
    if (!file) return;
    const shown = file;
    const held = document.activeElement;
    const hadFocus = host.contains(held) && !foot.contains(held);
    const top = body.scrollTop;
    fill(head,
      el('div', {class: 'case-title'}, el('h2', {class: 'ellipsis', tabindex: '-1'}, shown.category.name), countdown),
      el('div', {class: 'case-sub'},
        el('button', {type: 'button', class: 'link nowrap', title: t('dispatch.copy'), onclick: () => onCopy(shown.number)}, shown.number), el('span', {class: 'status-word'}, shown.status_name),
        shown.urgency === 'A' && el('span', {class: 'tag tag-late'}, shown.urgency_name ?? t('urgency.A')),
        el('span', {class: 'spacer'}),
        el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('dispatch.locate'), title: t('dispatch.locate'), onclick: () => onLocate(shown)}, icon('focus-2')),
        el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('dispatch.link'), title: t('dispatch.link'), onclick: () => onCopy(location.href)}, icon('link')),
        el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('case.back'), title: t('case.back'), onclick: onLeave}, icon('x'))));
    fill(body,
      photosOf(shown.photos),
      shown.text && el('p', {class: 'case-text'}, shown.text),
      originOf(shown),
      restsOf(shown),
      factsOf(shown),
      twinBox,
      el('h3', null, t('case.timeline')),
      timelineOf(shown, {openPhoto: photo => openPhotos(shown.photos, shown.photos.find(one => one.id === photo.id) ?? photo)}));
    if (head.parentElement !== host) fill(host, head, claimBar, body, foot);
    body.scrollTop = top;
    drawTwins();
    drawClaim();
    tick();
    if (hadFocus && !document.contains(held)) focus();
  }

  function tick() {
    if (!file) return;
    const left = timeLeft(file, now());
    countdown.className = `badge badge-${left.risk}`;
    fill(countdown, icon(RISK_ICONS[left.risk] ?? 'clock'), left.text);
  }

  /** @param {CaseFile} shown */
  const factsOf = shown => el('dl', {class: 'facts'}, ...[
    [t('case.where'), el('button', {type: 'button', class: 'link', onclick: () => onLocate(shown)}, icon('map-pin'), ' ', shown.address || t('case.noAddress'))],
    [t('case.grid'), shown.grid ? el('button', {type: 'button', class: 'link', title: t('dispatch.onlyGrid'), onclick: () => shown.grid && onGrid(shown.grid.code)}, [shown.area_name, shown.grid.name].filter(Boolean).join(' · ')) : shown.area_name || '–'],
    [t('case.holder'), shown.holder ?? '–'],
    [t('case.reported'), `${dateText(shown.reported_at)} · ${agoText(shown.reported_at, now())}`],
    [t('case.due'), shown.due_at ? dateText(shown.due_at) : t('due.none')],
    [t('case.source'), [shown.source_name ?? shown.source, shown.urgency_name].filter(Boolean).join(' · ')],
    [t('reporter.title'), shown.has_contact ? reporterButton(shown.id) : null],
  ].filter(([, value]) => value).flatMap(([name, value]) => [el('dt', null, name), el('dd', null, value)]));

  // ---- cases that may be the same

  /** @param {string} id @param {AbortSignal} signal */
  async function loadTwins(id, signal) {
    try {
      const found = await duplicatesOf(id, {signal});
      if (wanted !== id) return;
      twins = found;
      drawTwins();
    } catch {
      // The case itself is what counts; the comparison can be asked for again with its key.
      twins = null;
    }
  }

  function drawTwins() {
    twinBox.hidden = !twins?.length;
    if (twins?.length) fill(twinBox, el('h3', null, icon('copy'), t('dispatch.twins.count', {n: twins.length})), twinList(twins, {now, onCompare: openTwinsNow}));
  }

  /** @param {import('./duplicates.js').Twin} [first] */
  function openTwinsNow(first) {
    if (!file) return;
    const shown = file;
    const action = shown.actions.find(one => one.action === 'merge');
    openTwins({
      file: shown, twins, first, now, canMerge: Boolean(action), onOpen,
      merge: (id, main) => new Promise((resolve, reject) => {
        deed.step({id, action: action ?? {action: 'merge', name: t('dispatch.twins'), requires: [], primary: false}, values: {main}, file: shown, onSent: () => resolve()}).catch(reject);
      }),
    });
  }

  // ---- who works on it

  function drawClaim() {
    if (!file) return;
    const {id} = file;
    const claim = claimOf(id);
    const isMine = claims.has(id) || Boolean(claim?.mine);
    claimBar.className = `claim-bar${claim && !isMine ? ' is-other' : isMine ? ' is-mine' : ''}`;
    claimBar.hidden = !file.actions.length && !claim;
    fill(claimBar, icon('user-check'),
      el('span', {class: 'ellipsis'}, isMine ? t('dispatch.claim.mine') : claim ? t('dispatch.claim.by', {name: claim.name}) : t('dispatch.claim.nobody')),
      el('span', {class: 'spacer'}),
      !(claim && !isMine) && el('button', {type: 'button', class: 'link small', id: 'claim', onclick: toggleClaim}, t(isMine ? 'dispatch.claim.free' : 'dispatch.claim.take'), el('kbd', {'aria-hidden': 'true'}, 'w')));
  }

  function toggleClaim() {
    if (!file) return;
    if (claims.has(file.id)) claims.free(file.id);
    else claims.hold(file.id);
  }

  function drawNothing() {
    fill(host, emptyNote('file-description', t('dispatch.none'), t('dispatch.noneHint')));
  }

  function focus() {
    const title = /** @type {HTMLElement | null} */ (host.querySelector('h2'));
    if (host.contains(body)) body.focus({preventScroll: true});
    else title?.focus();
  }

  setInterval(tick, TICK_MS);
  drawNothing();

  return {
    /** @param {string} id */
    open(id) {
      if (wanted === id) return;
      deed.leave();
      waiting = null;
      wanted = id;
      if (!id) {
        running?.abort();
        file = null;
        deed.reset();
        drawNothing();
      } else load(id);
    },
    /** Something happened to a case. @param {string} id */
    refresh(id) {
      if (id !== wanted) return;
      isOld = true;
      load(id, {isQuiet: Boolean(file)});
    },
    /** A claim began or ended. @param {string} id */
    claimChanged(id) {
      if (id === file?.id) drawClaim();
    },
    /** Do something with a case now, or once it is there: a hand that knows the keys is faster than an answer. @param {string} id @param {() => void} run */
    whenShown(id, run) {
      this.open(id);
      waiting = {id, act: run};
      if (file?.id === id && !isOld) act();
    },
    toggleClaim,
    twins: () => openTwinsNow(),
    /** Begin one of several actions, the first that is allowed. @param {string[]} names @param {{orFirst?: boolean}} [options] @returns {boolean} */
    begin(names, {orFirst = false} = {}) {
      const actions = file?.actions ?? [];
      const chosen = names.map(name => actions.find(action => action.action === name)).find(Boolean) ?? (orFirst ? actions.find(action => action.primary) : undefined);
      if (!chosen) return false;
      deed.begin(chosen);
      return true;
    },
    /** Give the focus to the first of the buttons. */
    acts() { /** @type {HTMLElement | null} */ (foot.querySelector('button'))?.focus(); },
    isActing: () => deed.isOpen(),
    cancel: () => deed.cancel(),
    shown: () => file,
    focus,
  };
}
