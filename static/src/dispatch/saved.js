// Filters kept under a name: one's own, and those that a shift shares.

import {getJson, sendJson} from '../lib/api.js';
import {el, fill} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {newUuid} from '../lib/uuid.js';
import {errorText, skeleton} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {fromSaved, savedOf} from './state.js';

/** @typedef {{id: string, name: string, query: Record<string, any>, own: boolean, owner: string | null, role: string | null}} Saved */

/**
 * @param {HTMLElement} menu
 * @param {{state: () => import('./state.js').State, roles: string[], onChoose: (patch: Partial<import('./state.js').State>) => void, onToggle: (isOpen: boolean) => void}} options
 */
export function createSaved(menu, {state, roles, onChoose, onToggle}) {
  /** @type {Saved[] | null} */
  let list = null;
  /** @type {unknown} */
  let error = null;
  /** @type {HTMLElement | null} */
  let anchor = null;

  // Made once: what is being typed must outlive the list's arrival.
  const name = el('input', {class: 'input', type: 'text', maxlength: 60, placeholder: t('dispatch.saved.name'), 'aria-label': t('dispatch.saved.name')});
  const shared = el('input', {type: 'checkbox'});
  const form = el('form', {class: 'saved-form', onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); keep(); }},
    name, el('button', {type: 'submit', class: 'btn btn-small btn-primary'}, t('dispatch.saved.keep')),
    el('label', {class: 'saved-share small'}, shared, t('dispatch.saved.share')));
  const found = el('div');

  async function load() {
    try {
      const answer = await getJson('/api/desk/filters');
      list = answer.items;
      error = null;
    } catch (failed) {
      error = failed;
    }
    draw();
  }

  function draw() {
    if (menu.hidden) return;
    const isEmpty = !Object.keys(savedOf(state())).length;
    fill(found,
      error ? el('p', {class: 'menu-note', role: 'alert'}, errorText(error)) : !list ? skeleton(2, 'line')
        : list.length ? el('ul', {class: 'saved-list'}, ...list.map(item)) : el('p', {class: 'menu-note muted'}, t('dispatch.saved.none')),
      isEmpty && el('p', {class: 'menu-note muted small'}, t('dispatch.saved.hint')));
    form.hidden = isEmpty;
  }

  /** @param {Saved} one */
  const item = one => el('li', {class: 'saved-item'},
    el('button', {type: 'button', class: 'menu-item', onclick: () => { onChoose(fromSaved(one.query)); close(true); }}, icon(one.role ? 'users' : 'star'), el('span', {class: 'ellipsis'}, one.name), one.owner && el('span', {class: 'muted small nowrap'}, one.owner)),
    one.own && el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('dispatch.saved.drop', {name: one.name}), onclick: () => drop(one)}, icon('trash')));

  async function keep() {
    if (!name.value.trim()) {
      name.focus();
      return;
    }
    try {
      const body = {name: name.value.trim(), query: savedOf(state()), role: shared.checked ? roles.find(role => role !== 'commander') ?? null : null};
      await sendJson('PUT', `/api/desk/filters/${newUuid()}`, body);
    } catch (failed) {
      error = failed;
      draw();
      return;
    }
    name.value = '';
    shared.checked = false;
    await load();
    focusFirst();
  }

  /** @param {Saved} one */
  async function drop(one) {
    try {
      await sendJson('DELETE', `/api/desk/filters/${one.id}`);
    } catch (failed) {
      error = failed;
      draw();
      return;
    }
    await load();
    focusFirst();
  }

  function focusFirst() {
    /** @type {HTMLElement | null} */ (menu.querySelector('.menu-item, input'))?.focus();
  }

  /** @param {boolean} [isBack]  the focus goes back to the button */
  function close(isBack = false) {
    if (menu.hidden) return;
    menu.hidden = true;
    onToggle(false);
    if (isBack) anchor?.focus();
  }

  menu.append(found, form);
  menu.addEventListener('keydown', event => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    event.preventDefault();
    close(true);
  });
  document.addEventListener('pointerdown', event => {
    if (!menu.contains(/** @type {Node} */ (event.target)) && event.target !== anchor && !anchor?.contains(/** @type {Node} */ (event.target))) close();
  });

  return {
    /** @param {HTMLElement} button */
    toggle(button) {
      anchor = button;
      if (!menu.hidden) {
        close(true);
        return;
      }
      menu.hidden = false;
      onToggle(true);
      draw();
      load().then(() => { if (!menu.contains(document.activeElement)) focusFirst(); });
    },
  };
}
