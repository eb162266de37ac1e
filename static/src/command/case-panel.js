// One case, over the queue: facts, photos before and after, every event with who, when
// and why, and the moves that this person may make now.

import {ApiError, getJson, retrying, sendBlob, sendJson} from '../lib/api.js';
import {el, fill} from '../lib/dom.js';
import {agoText, timeLeft} from '../lib/dates.js';
import {dateText, t} from '../lib/i18n.js';
import {newUuid} from '../lib/uuid.js';
import {openDialog} from '../ui/dialog.js';
import {errorNote, errorText, skeleton} from '../ui/errors.js';
import {createForm} from '../ui/form.js';
import {icon} from '../ui/icon.js';
import {reporterButton} from '../ui/reporter.js';
import {RISK_ICONS, actionIcon} from '../ui/signs.js';
import {roleOf, timelineOf} from '../ui/timeline.js';
import {completeFields} from './move-fields.js';

/** @typedef {import('../ui/timeline.js').Photo} Photo */
/** @typedef {import('../ui/timeline.js').Event} Event */
/** @typedef {{action: string, name: string, requires: any[], primary: boolean}} Action */
/** @typedef {import('./case-list.js').Case & {text: string | null, photos: Photo[], events: Event[], actions: Action[], has_contact?: boolean}} CaseFile */

/**
 * @param {HTMLElement} host
 * @param {{onClose: () => void, onChanged: (id: string) => void, onLocate: (row: CaseFile) => void, onGrid: (code: string) => void, toast: (text: string, options?: any) => void}} options
 */
export function createCasePanel(host, {onClose, onChanged, onLocate, onGrid, toast}) {
  /** @type {CaseFile | null} */
  let file = null;
  let wanted = '';
  let isWriting = false;
  /** @type {AbortController | null} */
  let running = null;

  const head = (/** @type {string} */ title, /** @type {any} */ extra = null) => el('header', {class: 'case-head'},
    el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('case.back'), title: t('case.back'), onclick: onClose}, icon('arrow-left')),
    el('h2', {class: 'ellipsis', tabindex: '-1'}, title), extra);

  /** @param {string} id @param {{isQuiet?: boolean}} [options] */
  async function load(id, {isQuiet = false} = {}) {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    if (!isQuiet) fill(host, head(t('case.loading')), el('div', {class: 'case-body'}, skeleton(6)));
    try {
      const next = await getJson(`/api/incidents/${id}`, {signal: mine.signal});
      if (running !== mine || wanted !== id) return;
      file = next;
      if (!isWriting) draw();
    } catch (error) {
      if (running !== mine || (error instanceof DOMException && error.name === 'AbortError')) return;
      if (!isQuiet) fill(host, head(t('case.title')), errorNote(error, () => load(id)));
    }
  }

  function draw() {
    if (!file) return;
    const shown = file;
    const left = timeLeft(shown, Date.now());
    const foot = el('footer', {class: 'case-actions'});
    fill(host,
      head(shown.category.name, el('span', {class: `badge badge-${left.risk}`}, icon(RISK_ICONS[left.risk]), left.text)),
      el('div', {class: 'case-body', tabindex: '0', role: 'region', 'aria-label': t('case.title')},
        shown.text && el('p', {class: 'case-text'}, shown.text),
        factsOf(shown),
        photosOf(shown),
        el('h3', null, t('case.timeline')),
        timelineOf(shown)),
      foot);
    drawActions(foot);
  }

  /** @param {CaseFile} shown */
  const factsOf = shown => el('dl', {class: 'facts'}, ...[
    [t('case.number'), el('span', {class: 'nowrap'}, shown.number)],
    [t('case.where'), el('button', {type: 'button', class: 'link', onclick: () => onLocate(shown)}, icon('map-pin'), ' ', shown.address || t('case.noAddress'))],
    [t('case.grid'), shown.grid ? el('button', {type: 'button', class: 'link', onclick: () => shown.grid && onGrid(shown.grid.code)}, [shown.area_name, shown.grid.name].filter(Boolean).join(' · ')) : '–'],
    [t('case.status'), shown.status_name],
    [t('case.holder'), shown.holder ?? '–'],
    [t('case.reported'), `${dateText(shown.reported_at)} · ${agoText(shown.reported_at, Date.now())}`],
    [t('case.due'), shown.due_at ? dateText(shown.due_at) : t('due.none')],
    [t('case.source'), shown.source_name ?? shown.source],
    [t('case.urgency'), shown.urgency_name ?? shown.urgency],
    [t('reporter.title'), shown.has_contact ? reporterButton(shown.id) : null],
  ].filter(([, value]) => value).flatMap(([name, value]) => [el('dt', null, name), el('dd', null, value)]));

  /** @param {CaseFile} shown */
  function photosOf(shown) {
    if (!shown.photos?.length) return null;
    return el('div', {class: 'case-photos'}, ...shown.photos.map(photo => el('button', {type: 'button', class: 'case-photo', onclick: () => openPhoto(photo), 'aria-label': t('case.openPhoto', {role: roleOf(photo)})},
      el('img', {src: photo.thumb || photo.url, alt: '', loading: 'lazy'}), el('span', null, roleOf(photo)))));
  }

  /** @param {Photo} photo */
  const openPhoto = photo => openDialog({title: roleOf(photo), class: 'dialog-wide', body: el('img', {class: 'photo-full', src: photo.url, alt: roleOf(photo)})});

  /** @param {HTMLElement} foot */
  function drawActions(foot) {
    const actions = [...(file?.actions ?? [])].sort((a, b) => Number(b.primary) - Number(a.primary));
    foot.hidden = !actions.length;
    fill(foot, ...actions.map(action => el('button', {type: 'button', class: ['btn', action.primary && 'btn-primary'], data: {action: action.action}, onclick: () => write(action, foot)},
      icon(actionIcon(action.action)), action.name)));
  }

  /** @param {Action} action @param {HTMLElement} foot */
  async function write(action, foot) {
    if (!file) return;
    const shown = file;
    // The id is made once per attempt to act: pressing again or a repeated request is the same act.
    const moveId = newUuid();
    isWriting = true;
    const cancel = () => { isWriting = false; drawActions(foot); };
    let fields;
    try {
      fields = await completeFields(action.requires ?? [], shown.category.kind);
    } catch (error) {
      cancel();
      toast(errorText(error), {tone: 'late'});
      return;
    }
    const form = createForm({
      fields, submit: t('case.do', {action: action.name}), onCancel: cancel,
      onSubmit: async values => {
        await send(shown, action, moveId, values);
        isWriting = false;
        toast(t('case.done', {number: shown.number, action: action.name}), {tone: 'ok'});
        onChanged(shown.id);
        await load(shown.id, {isQuiet: true});
      },
    });
    fill(foot, el('h3', null, action.name), form.element);
    form.focus();
  }

  /** @param {CaseFile} shown @param {Action} action @param {string} moveId @param {Record<string, any>} values */
  async function send(shown, action, moveId, values) {
    /** @type {Record<string, any>} */
    const body = {id: moveId, action: action.action, device_at: new Date().toISOString()};
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === '' || (Array.isArray(value) && !value.length)) continue;
      body[name] = name === 'photos' ? (await Promise.all(value.map((/** @type {File} */ photo) => retrying(() => sendBlob('/api/blobs', photo))))).map(blob => blob.sha256) : value;
    }
    if (body.category && shown.category.kind) body.kind = shown.category.kind;
    try {
      await retrying(() => sendJson('POST', `/api/incidents/${shown.id}/moves`, body));
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) {
        isWriting = false;
        load(shown.id, {isQuiet: true});
        onChanged(shown.id);
      }
      throw error;
    }
  }

  return {
    /** @param {string} id */
    open(id) {
      if (wanted === id) return;
      wanted = id;
      isWriting = false;
      file = null;
      host.hidden = false;
      host.classList.add('is-open');
      load(id);
    },
    /** Something happened to a case. @param {string} id */
    refresh(id) {
      if (id === wanted) load(id, {isQuiet: true});
    },
    close() {
      wanted = '';
      file = null;
      host.hidden = true;
    },
    shown: () => file,
    /** Press the button of the likeliest move. */
    actFirst: () => host.querySelector('.case-actions .btn-primary')?.dispatchEvent(new MouseEvent('click')),
  };
}
