// The small buttons of the top bar: the one map, notices, help, appearance and language.

import {el, fill} from '../lib/dom.js';
import {lang, t} from '../lib/i18n.js';
import {setTheme, theme} from '../lib/theme.js';
import {icon} from '../ui/icon.js';
import {createPlaces} from '../ui/places.js';

/**
 * @param {HTMLElement} host
 * @param {{me: {name: string}, csrf: string, places: import('../ui/places.js').Group[], toast: import('../ui/places.js').Toast, onHelp: () => void, onLog: () => void, onLeave: () => void}} options
 */
export function createTools(host, {me, csrf, places: groups, toast, onHelp, onLog, onLeave}) {
  const dot = el('i', {class: 'rail-dot', hidden: true});
  const button = (/** @type {string} */ sign, /** @type {string} */ label, /** @type {() => void} */ act, more = {}) => el('button', {type: 'button', class: 'icon-btn', 'aria-label': label, title: label, onclick: act, ...more}, icon(sign));
  const bell = button('bell', t('rail.log'), () => { dot.hidden = true; onLog(); });
  bell.append(dot);
  const places = createPlaces(button('layout-grid', t('places.open'), () => {}), {groups, toast});
  const menu = el('div', {class: 'menu tools-menu', hidden: true});
  const settings = button('user-circle', t('dispatch.me', {name: me.name}), toggle, {'aria-haspopup': 'true', 'aria-expanded': 'false', id: 'settings'});
  fill(host,
    el('a', {class: 'icon-btn', href: '/command', 'aria-label': t('dispatch.toMap'), title: t('dispatch.toMap')}, icon('map-2')),
    places.host, bell, button('keyboard', t('help.title'), onHelp), el('div', {class: 'tools-settings'}, settings, menu));

  function toggle() {
    menu.hidden = !menu.hidden;
    settings.setAttribute('aria-expanded', String(!menu.hidden));
    if (!menu.hidden) draw();
  }

  function draw() {
    const here = encodeURIComponent(location.pathname + location.search);
    const choice = (/** @type {import('../lib/theme.js').Theme} */ name, /** @type {string} */ sign) => el('button', {type: 'button', 'aria-pressed': String(theme() === name), onclick: () => { setTheme(name); draw(); }}, icon(sign), t(`theme.${name}`));
    fill(menu,
      el('p', {class: 'menu-note'}, el('b', null, me.name)),
      el('div', {class: 'menu-row'}, el('span', {class: 'muted small'}, t('rail.appearance')), el('span', {class: 'segmented'}, choice('light', 'sun'), choice('auto', 'sun-moon'), choice('dark', 'moon'))),
      el('div', {class: 'menu-row'}, el('span', {class: 'muted small'}, t('rail.language')), el('span', {class: 'segmented'},
        el('a', {href: `/lang/zh?next=${here}`, lang: 'zh-CN', 'aria-current': lang() === 'zh' ? 'true' : null}, '中文'),
        el('a', {href: `/lang/en?next=${here}`, lang: 'en', 'aria-current': lang() === 'en' ? 'true' : null}, 'English'))),
      el('a', {href: '/account', class: 'menu-item'}, icon('user-circle'), t('rail.account')),
      el('form', {method: 'post', action: '/sign-out', onsubmit: onLeave}, el('input', {type: 'hidden', name: 'csrf_token', value: csrf}),
        el('button', {type: 'submit', class: 'menu-item'}, icon('logout'), t('rail.signOut'))));
  }

  document.addEventListener('pointerdown', event => {
    if (!menu.hidden && !menu.parentElement?.contains(/** @type {Node} */ (event.target))) toggle();
  });
  host.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || menu.hidden) return;
    event.stopPropagation();
    toggle();
    settings.focus();
  });

  return {ring() { dot.hidden = false; }, count: places.load};
}
