// Doing something to a case: the buttons of what is allowed, likeliest first, and the form
// of the one that was chosen, drawn from the table. What is typed is kept until it is sent.

import {ApiError, retrying, sendBlob, sendJson} from '../lib/api.js';
import {completeFields} from '../command/move-fields.js';
import {el, fill} from '../lib/dom.js';
import {agoText} from '../lib/dates.js';
import {t} from '../lib/i18n.js';
import {newUuid} from '../lib/uuid.js';
import {errorText, skeleton} from '../ui/errors.js';
import {createForm} from '../ui/form.js';
import {icon} from '../ui/icon.js';
import {actionIcon} from '../ui/signs.js';
import {keyOf} from './keys.js';
import {createSuggestions, suggestionsOf} from './suggest.js';
import {precedentsOf} from './told.js';

/** @typedef {import('./case.js').CaseFile} CaseFile */
/** @typedef {import('./case.js').Action} Action */
/** @typedef {{file: CaseFile, id: string, action: Action, answer: any}} Done */

/** More buttons than these are folded away. */
const SHOWN = 5;
const OFTEN = ['comment', 'ask_reporter', 'merge', 'reassign', 'send_back', 'rework', 'reject', 'return'];

/**
 * @param {HTMLElement} foot
 * @param {{iso: () => string, drafts: ReturnType<typeof import('./drafts.js').createDrafts>, claims: ReturnType<typeof import('./claims.js').createClaims>,
 *   onDone: (done: Done) => Promise<void>, onConflict: (id: string) => void, onTwins: () => void, onExpired: () => void, onClosed: () => void, toast: (text: string, options?: any) => void}} options
 */
export function createDeed(foot, {iso, drafts, claims, onDone, onConflict, onTwins, onExpired, onClosed, toast}) {
  /** @type {CaseFile | null} */
  let file = null;
  /** @type {{action: Action, form: ReturnType<typeof createForm> | null} | null} */
  let open = null;
  let turn = 0;
  /** Claims that came with a form, and go with it. @type {Set<string>} */
  const along = new Set();
  /** Whether this page has looked for what a crash left behind. */
  let hasResumed = false;
  let drafted = '';

  /** Likeliest first: the step forward, then what a desk does often, then the rest as in the table. @param {Action[]} actions */
  function ordered(actions) {
    const weight = (/** @type {Action} */ action) => (action.primary ? -1 : OFTEN.includes(action.action) ? OFTEN.indexOf(action.action) : OFTEN.length);
    return [...actions].sort((a, b) => weight(a) - weight(b));
  }

  function drawButtons() {
    const actions = ordered(file?.actions ?? []);
    foot.hidden = !actions.length;
    foot.inert = false;
    foot.classList.remove('is-writing');
    const button = (/** @type {Action} */ action) => el('button', {type: 'button', class: ['btn', action.primary && 'btn-primary'], data: {action: action.action}, onclick: () => begin(action)},
      icon(actionIcon(action.action)), action.name, action.action === drafted && el('span', {class: 'tag tag-soon'}, t('dispatch.draft.mark')), keyOf(action) && el('kbd', {'aria-hidden': 'true'}, keyOf(action)));
    const [often, rest] = [actions.slice(0, SHOWN), actions.slice(SHOWN)];
    fill(foot, ...often.map(button), rest.length > 0 && el('details', {class: 'more-actions'}, el('summary', {class: 'btn'}, icon('dots'), t('dispatch.moreActions')), el('div', {class: 'menu'}, ...rest.map(button))));
  }

  /** @param {Action} action @param {{values?: Record<string, any>, isQuiet?: boolean, since?: number}} [options]  isQuiet: without taking the focus */
  async function begin(action, {values, isQuiet = false, since} = {}) {
    if (!file) return;
    if (action.action === 'merge') {
      onTwins();
      return;
    }
    const shown = file;
    const mine = (turn += 1);
    open = {action, form: null};
    if (!isQuiet) claim(shown.id);
    foot.hidden = false;
    foot.inert = false;
    foot.classList.add('is-writing');
    const title = el('h3', {tabindex: '-1'}, icon(actionIcon(action.action)), action.name);
    fill(foot, title, skeleton(1, 'line'));
    if (!isQuiet) title.focus();
    try {
      const [fields, draft] = await Promise.all([completeFields(action.requires ?? [], shown.category.kind), values ? {action: action.action, fields: values, at: since ?? 0} : drafts.of(shown.id)]);
      if (mine !== turn) return;
      write(shown, action, fields, draft?.action === action.action ? draft : null, isQuiet);
    } catch (error) {
      if (mine !== turn) return;
      close();
      toast(errorText(error), {tone: 'late'});
    }
  }

  /** @param {CaseFile} shown @param {Action} action @param {import('../ui/field.js').FieldSpec[]} fields @param {import('./drafts.js').Draft | null} draft @param {boolean} isQuiet */
  function write(shown, action, fields, draft, isQuiet) {
    // The id is made once per form: pressing again or a repeated request is the same act.
    const moveId = newUuid();
    const specs = fields.map(spec => ({...spec, value: draft?.fields[spec.name] ?? spec.value, isExtra: !spec.required && !spec.one_of && !['note', 'text'].includes(spec.name)}));
    const names = new Set(specs.map(spec => spec.name));
    /** @type {{department: string | null, worker: string | null}} */
    let chosen = {department: null, worker: null};
    const hears = names.has('department') || names.has('worker');
    const mine = turn;
    let isFilling = false;
    /** Where the form put the focus. @type {Element | null} */
    let first = null;
    const suggestions = hears ? createSuggestions({
      load: () => suggestionsOf(shown.id), chosen: () => chosen,
      onDepartment: code => { form.set('department', code); form.set('worker', ''); },
      onPerson: names.has('worker') ? account => { form.set('worker', account); if (names.has('department')) form.set('department', ''); } : null,
      // What the rules say stands there already; it is still sent by hand. A draft is somebody's own choice.
      onFound: ({department}) => {
        if (mine !== turn || draft || !department || !names.has('department') || chosen.department || chosen.worker) return;
        const isUntouched = document.activeElement === first;
        isFilling = true;
        form.set('department', department.code);
        isFilling = false;
        if (isUntouched) form.focusNext();
      },
    }) : null;
    const told = precedentsOf(action);
    const beside = told && suggestions ? el('div', null, suggestions.element, told) : suggestions?.element ?? told;
    const look = (/** @type {Record<string, any>} */ values) => {
      chosen = {department: values.department ?? null, worker: values.worker ?? null};
      suggestions?.mark();
    };
    const form = createForm({
      fields: specs, submit: t('case.do', {action: action.name}), before: beside, onCancel: () => shelve(shown.id),
      onInput: values => {
        if (isFilling) {
          look(values);
          return;
        }
        drafts.keep(shown.id, action.action, values);
        claim(shown.id);
        look(values);
      },
      onSubmit: async values => {
        await step({id: shown.id, action, values, file: shown, moveId, onSent: () => {
          if (open?.form !== form) return;
          close();
          // What the case allows now is on its way; keys go to the page at once.
          foot.inert = true;
        }});
      },
    });
    open = {action, form};
    look(form.values());
    fill(foot, el('h3', {tabindex: '-1'}, icon(actionIcon(action.action)), action.name,
      el('span', {class: 'muted small'}, draft ? t('dispatch.draft', {at: agoText(draft.at, Date.parse(iso()))}) : t('dispatch.sendKeys')),
      draft && el('button', {type: 'button', class: 'link small', onclick: () => discard(shown.id)}, t('dispatch.draft.drop'))), form.element);
    if (suggestions) form.element.addEventListener('keydown', event => {
      const isWriting = event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement;
      if (!/^Digit[1-9]$/.test(event.code) || event.isComposing || event.ctrlKey || event.shiftKey || isWriting !== event.altKey) return;
      if (!suggestions.take(Number(event.code.slice(5)) - 1)) return;
      event.preventDefault();
      if (!isWriting) form.focusNext();
    });
    if (!isQuiet && !(draft && goOn(form.element))) form.focusNext();
    first = document.activeElement;
  }

  /**
   * Send one step and tell of the server's answer.
   *
   * @param {{id: string, action: Action, values: Record<string, any>, file: CaseFile, moveId?: string, onSent?: () => void}} wanted
   */
  async function step({id, action, values, file: shown, moveId = newUuid(), onSent}) {
    /** @type {Record<string, any>} */
    const body = {id: moveId, action: action.action, device_at: iso()};
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === '' || (Array.isArray(value) && !value.length)) continue;
      body[name] = name === 'photos' ? (await Promise.all(value.map((/** @type {File} */ photo) => retrying(() => sendBlob('/api/blobs', photo))))).map(blob => blob.sha256) : value;
    }
    if (body.category && shown.category.kind) body.kind = shown.category.kind;
    try {
      const answer = await retrying(() => sendJson('POST', `/api/incidents/${id}/moves`, body));
      drafts.drop(shown.id);
      along.delete(shown.id);
      claims.free(shown.id);
      drafted = '';
      onSent?.();
      await onDone({file: shown, id, action, answer});
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) onExpired();
      if (error instanceof ApiError && error.status === 409) onConflict(shown.id);
      throw error;
    }
  }

  /** @param {string} id */
  function claim(id) {
    if (!claims.has(id)) along.add(id);
    claims.hold(id);
  }

  /** @param {string} id */
  function unclaim(id) {
    if (along.delete(id)) claims.free(id);
  }

  /** Not now: what was typed stays for later. @param {string} id */
  function shelve(id) {
    unclaim(id);
    drafted = open?.form && hasWords(open.form.values()) ? open.action.action : '';
    close();
  }

  /** @param {string} id */
  function discard(id) {
    drafts.drop(id);
    unclaim(id);
    drafted = '';
    close();
  }

  function close() {
    turn += 1;
    open = null;
    drawButtons();
    onClosed();
  }

  /** Arrows go through the buttons, those folded away too. */
  foot.addEventListener('keydown', event => {
    const by = /** @type {Record<string, number>} */ ({ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1})[event.key];
    const target = /** @type {HTMLElement} */ (event.target);
    if (!by || open || !target.matches('button, summary')) return;
    event.preventDefault();
    const stops = /** @type {HTMLElement[]} */ ([...foot.querySelectorAll('button')]);
    const at = target.matches('summary') ? SHOWN - (by > 0 ? 1 : 0) : stops.indexOf(target);
    const next = stops[(at + by + stops.length) % stops.length];
    const menu = foot.querySelector('details');
    if (menu) menu.open = menu.contains(next);
    next.focus();
  });

  return {
    begin,
    step,
    /** The buttons of a case that was just opened. @param {CaseFile} next */
    show(next) {
      file = next;
      open = null;
      drafted = '';
      drawButtons();
    },
    /** The same case with newer words: a form that is being written stays. @param {CaseFile} next */
    renew(next) {
      file = next;
      if (!open) {
        const held = foot.contains(document.activeElement) ? document.activeElement?.getAttribute('data-action') : null;
        drawButtons();
        if (held) /** @type {HTMLElement | null} */ (foot.querySelector(`[data-action="${held}"]`) ?? foot.querySelector('button'))?.focus();
      } else if (!next.actions.some(action => action.action === open?.action.action) && !open.form?.isSending()) {
        toast(t('dispatch.noLonger', {action: open.action.name, status: next.status_name}), {tone: 'soon'});
      }
    },
    /** After a reload or a crash the form stands open again; later a draft is only marked on its button. @param {CaseFile} shown */
    async resume(shown) {
      const isFirst = !hasResumed;
      hasResumed = true;
      const draft = await drafts.of(shown.id).catch(() => null);
      if (!draft || open || file?.id !== shown.id || !hasWords(draft.fields)) return;
      const action = shown.actions.find(one => one.action === draft.action);
      if (!action) return;
      drafted = action.action;
      if (isFirst) begin(action, {values: draft.fields, isQuiet: true, since: draft.at});
      else drawButtons();
    },
    /** The case is left; its draft stays for the next time. */
    leave() {
      if (file) unclaim(file.id);
    },
    reset() {
      turn += 1;
      open = null;
      file = null;
      fill(foot);
    },
    isOpen: () => Boolean(open),
    cancel() { if (open && file && !open.form?.isSending()) shelve(file.id); },
  };
}

/** Put the hand where the writing stopped. @param {HTMLElement} form @returns {boolean}  whether anything was written */
function goOn(form) {
  const written = [...form.querySelectorAll('textarea')].find(one => one.value);
  written?.focus();
  written?.setSelectionRange(written.value.length, written.value.length);
  return Boolean(written);
}

/** Whether anything was typed. @param {Record<string, any>} values */
const hasWords = values => ['note', 'text', 'reason'].some(name => Boolean(values[name]));
