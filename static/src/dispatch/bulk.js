// Several cases at once: marked with Space, shown with what would happen to each before
// anything does, done by one request, taken back by one.

import {getJson, sendJson} from '../lib/api.js';
import {completeFields} from '../command/move-fields.js';
import {el, fill} from '../lib/dom.js';
import {number, t} from '../lib/i18n.js';
import {newUuid} from '../lib/uuid.js';
import {openDialog} from '../ui/dialog.js';
import {errorNote, errorText, skeleton} from '../ui/errors.js';
import {createForm} from '../ui/form.js';
import {icon} from '../ui/icon.js';
import {actionIcon} from '../ui/signs.js';

/** @typedef {import('./rows.js').Row} Row */
/** @typedef {import('./case.js').Action} Action */
/** @typedef {{id: string, ok: boolean, number?: string, code?: string, detail?: string}} Verdict */

/** The server takes no more in one request. */
export const MOST = 200;
const PREVIEW_WAIT_MS = 350;
/** So many kinds of cases are asked what may be done with them. */
const ASKED = 6;
/** Steps that speak of one case: its photos, its twin. */
const SINGLE = new Set(['merge', 'unmerge', 'undo', 'verify', 'check_ok', 'reply']);

/**
 * @param {HTMLElement} bar
 * @param {{onChange: () => void, onDone: (answer: {done: any[], refused: any[], undo?: string}, action: Action, ids: string[]) => void, rowOf: (id: string) => Row | undefined, toast: (text: string, options?: any) => void}} options
 */
export function createBulk(bar, {onChange, onDone, rowOf, toast}) {
  /** @type {Map<string, Row>} */
  const marked = new Map();
  /** @type {Action[]} */
  let actions = [];
  let asked = '';
  /** @type {Promise<void>} */
  let learning = Promise.resolve();

  /** One case of every state says what may be done; the same states are asked once. */
  function learn() {
    const kinds = new Map([...marked.values()].map(row => [row.status, row.id]));
    const key = [...kinds.keys()].sort().join();
    if (key !== asked) learning = ask(asked = key, [...kinds.values()].slice(0, ASKED));
  }

  /** @param {string} key @param {string[]} ids */
  async function ask(key, ids) {
    const files = await Promise.all(ids.map(id => getJson(`/api/incidents/${id}`).catch(() => null)));
    if (asked !== key) return;
    const known = new Map();
    for (const action of files.flatMap(file => file?.actions ?? [])) if (!SINGLE.has(action.action) && !known.has(action.action)) known.set(action.action, action);
    actions = [...known.values()].sort((a, b) => Number(b.primary) - Number(a.primary));
    if (!files.some(Boolean)) asked = '';
    draw();
  }

  function draw() {
    bar.hidden = !marked.size;
    if (!marked.size) return;
    const held = document.activeElement?.getAttribute('data-bulk');
    const button = (/** @type {Action} */ action) => el('button', {type: 'button', class: ['btn', 'btn-small', action.primary && 'btn-primary'], data: {bulk: action.action}, onclick: () => begin(action)}, icon(actionIcon(action.action)), action.name);
    fill(bar, el('b', {class: 'nowrap', role: 'status'}, t('dispatch.marked', {n: number(marked.size)})),
      ...actions.slice(0, 3).map(button),
      actions.length > 3 && el('details', {class: 'more-actions'}, el('summary', {class: 'btn btn-small'}, icon('dots'), t('dispatch.moreActions')), el('div', {class: 'menu'}, ...actions.slice(3).map(button))),
      el('span', {class: 'spacer'}), el('button', {type: 'button', class: 'link small', onclick: clear}, t('dispatch.unmark')));
    if (held) /** @type {HTMLElement | null} */ (bar.querySelector(`[data-bulk="${held}"]`))?.focus();
  }

  function clear() {
    marked.clear();
    asked = '';
    actions = [];
    draw();
    onChange();
  }

  /** @param {Action} action */
  async function begin(action) {
    const ids = [...marked.keys()];
    const id = newUuid();
    const list = el('div', {class: 'bulk-list', tabindex: '0', role: 'region', 'aria-label': t('dispatch.bulk.preview')}, skeleton(4, 'line'));
    const sum = el('p', {class: 'bulk-sum', role: 'status'});
    const side = el('div', {class: 'bulk-form'}, skeleton(2, 'line'));
    const dialog = openDialog({title: t('dispatch.bulk.title', {action: action.name, n: ids.length}), class: 'dialog-wide dialog-bulk', body: el('div', {class: 'bulk'}, side, el('div', {class: 'bulk-preview'}, sum, list))});
    let turn = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;

    /** @param {Record<string, any>} values */
    async function preview(values) {
      const mine = (turn += 1);
      try {
        const answer = await sendJson('POST', '/api/desk/bulk/preview', {ids, action: action.action, fields: filled(values)});
        if (mine !== turn) return;
        const verdicts = /** @type {Verdict[]} */ (answer.items);
        const good = verdicts.filter(one => one.ok).length;
        fill(sum, el('b', {class: 'tone-ok'}, t('dispatch.bulk.ok', {n: good})), good < verdicts.length && el('b', {class: 'tone-late'}, t('dispatch.bulk.refused', {n: verdicts.length - good})));
        // What would be refused is what has to be read.
        fill(list, el('ul', null, ...[...verdicts].sort((a, b) => Number(a.ok) - Number(b.ok)).map(verdictRow)));
      } catch (error) {
        if (mine === turn) fill(list, errorNote(error, () => preview(values)));
      }
    }

    /** @param {Verdict} verdict */
    function verdictRow({id: one, ok, number: no, detail}) {
      const row = marked.get(one) ?? rowOf(one);
      return el('li', {class: ok ? 'is-ok' : 'is-refused'}, icon(ok ? 'circle-check' : 'circle-x'),
        el('span', {class: 'bulk-words'}, el('span', {class: 'ellipsis'}, row ? `${row.category.name} · ${row.address || row.number}` : no ?? one), !ok && el('span', {class: 'small tone-late'}, detail)),
        el('span', {class: 'muted small nowrap'}, row?.number ?? no));
    }

    try {
      const sample = [...marked.values()][0];
      const fields = await completeFields(action.requires ?? [], sample.category.kind);
      const form = createForm({
        fields: fields.filter(field => field.kind !== 'photos').map(field => ({...field, value: field.name === 'note' ? field.value : undefined, isExtra: !field.required && !field.one_of && field.name !== 'note'})),
        submit: t('dispatch.bulk.do', {action: action.name, n: ids.length}), onCancel: () => dialog.close(),
        onInput: values => { clearTimeout(timer); timer = setTimeout(() => preview(values), PREVIEW_WAIT_MS); },
        onSubmit: async values => {
          const answer = await sendJson('POST', '/api/desk/bulk', {id, ids, action: action.action, fields: filled(values)});
          dialog.close();
          clear();
          onDone(answer, action, ids);
        },
      });
      fill(side, form.element);
      form.focusNext();
      preview(form.values());
    } catch (error) {
      dialog.close();
      toast(errorText(error), {tone: 'late'});
    }
  }

  return {
    /** @param {Row} row @param {boolean} [isOn] */
    mark(row, isOn = !marked.has(row.id)) {
      if (isOn && marked.size >= MOST) {
        toast(t('dispatch.bulk.most', {n: MOST}), {tone: 'soon'});
        return;
      }
      if (isOn) marked.set(row.id, row);
      else marked.delete(row.id);
      draw();
      onChange();
      if (marked.size) learn();
      else asked = '';
    },
    clear,
    has: (/** @type {string} */ id) => marked.has(id),
    size: () => marked.size,
    /** Begin the first of these for everything that is marked. @param {string[]} names */
    async begin(names) {
      await learning;
      const action = names.map(name => actions.find(one => one.action === name)).find(Boolean);
      if (action) begin(action);
      return Boolean(action);
    },
  };
}

/** @param {Record<string, any>} values */
const filled = values => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== '' && !(Array.isArray(value) && !value.length)));
