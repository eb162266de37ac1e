// The rail: what the map shows, and the few switches of the page.

import {el, fill} from '../lib/dom.js';
import {lang, t} from '../lib/i18n.js';
import {setTheme, theme} from '../lib/theme.js';
import {icon} from '../ui/icon.js';
import {createPlaces} from '../ui/places.js';
import {THEMES} from './state.js';

const THEME_ICONS = {incidents: 'urgent', people: 'users', enterprises: 'building-store', components: 'fire-hydrant', none: 'map-2'};

/** The pages that a shift walks between all day; every other one is in the menu below them. */
const LINKS = [
  {needs: 'desk:dispatch', href: '/command/desk', icon: 'columns-3', text: 'rail.desk'},
  {needs: 'intake:take', href: '/command/intake', icon: 'headset', text: 'rail.intake'},
  {needs: 'rules:view', href: '/command/rules', icon: 'gavel', text: 'rail.rules'},
  {needs: 'planner:view', href: '/planner', icon: 'package-export', text: 'rail.planner'},
];

/**
 * @param {HTMLElement} host
 * @param {{me: {name: string, permissions: string[]}, csrf: string, places: import('../ui/places.js').Group[], toast: import('../ui/places.js').Toast, onTheme: (theme: import('./state.js').Theme) => void, onPanel: (panel: 'layers' | 'queue') => void,
 *   onHelp: () => void, onLog: () => void}} options
 */
export function createRail(host, {me, csrf, places: groups, toast, onTheme, onPanel, onHelp, onLog}) {
  /** @param {string} name @param {string} label @param {() => void} act @param {Record<string, any>} [more] */
  const button = (name, label, act, more = {}) => el('button', {type: 'button', class: 'rail-btn', onclick: act, ...more}, icon(name), el('span', null, label));
  const themes = new Map([.../** @type {const} */ (['none']), ...THEMES].map(name => [name, button(THEME_ICONS[name], t(`theme.${name}`), () => onTheme(/** @type {any} */ (name)), {'aria-pressed': 'false'})]));
  const panels = {
    layers: button('stack-2', t('rail.layers'), () => onPanel('layers'), {'aria-pressed': 'true'}),
    queue: button('list-check', t('rail.queue'), () => onPanel('queue'), {'aria-pressed': 'true'}),
  };
  const places = createPlaces(button('layout-grid', t('rail.places'), () => {}), {groups, toast});
  const dot = el('i', {class: 'rail-dot', hidden: true});
  const bell = button('bell', t('rail.log'), () => { dot.hidden = true; onLog(); });
  bell.append(dot);
  const menu = el('div', {class: 'menu rail-menu', hidden: true});
  const settings = button('settings', t('rail.settings'), toggle, {'aria-haspopup': 'true', 'aria-expanded': 'false'});
  fill(host, el('div', {class: 'rail-group', role: 'group', 'aria-label': t('rail.themes')}, ...themes.values()),
    el('div', {class: 'rail-group'}, panels.layers, panels.queue),
    el('div', {class: 'rail-group'}, ...LINKS.filter(link => me.permissions?.includes(link.needs)).map(link => el('a', {class: 'rail-btn', href: link.href}, icon(link.icon), el('span', null, t(link.text)))), places.host),
    el('div', {class: 'rail-group rail-end'}, bell, button('help-circle', t('rail.help'), onHelp), el('div', {class: 'rail-settings'}, settings, menu)));

  function toggle() {
    menu.hidden = !menu.hidden;
    settings.setAttribute('aria-expanded', String(!menu.hidden));
    if (!menu.hidden) drawMenu();
  }

  function drawMenu() {
    const here = encodeURIComponent(location.pathname + location.search);
    const choice = (/** @type {import('../lib/theme.js').Theme} */ name, /** @type {string} */ sign) => el('button', {type: 'button', 'aria-pressed': String(theme() === name), onclick: () => { setTheme(name); drawMenu(); }}, icon(sign), t(`theme.${name}`));
    fill(menu,
      el('p', {class: 'menu-note'}, el('b', null, me.name)),
      el('div', {class: 'menu-row'}, el('span', {class: 'muted small'}, t('rail.appearance')), el('span', {class: 'segmented'}, choice('light', 'sun'), choice('auto', 'sun-moon'), choice('dark', 'moon'))),
      el('div', {class: 'menu-row'}, el('span', {class: 'muted small'}, t('rail.language')), el('span', {class: 'segmented'},
        el('a', {href: `/lang/zh?next=${here}`, lang: 'zh-CN', 'aria-current': lang() === 'zh' ? 'true' : null}, '中文'),
        el('a', {href: `/lang/en?next=${here}`, lang: 'en', 'aria-current': lang() === 'en' ? 'true' : null}, 'English'))),
      el('a', {href: '/account', class: 'menu-item'}, icon('user-circle'), t('rail.account')),
      el('form', {method: 'post', action: '/sign-out'}, el('input', {type: 'hidden', name: 'csrf_token', value: csrf}),
        el('button', {type: 'submit', class: 'menu-item'}, icon('logout'), t('rail.signOut'))));
  }

  document.addEventListener('pointerdown', event => {
    if (!menu.hidden && !menu.parentElement?.contains(/** @type {Node} */ (event.target))) toggle();
  });
  host.addEventListener('keydown', event => {
    if (event.key === 'Escape' && !menu.hidden) {
      event.stopPropagation();
      toggle();
      settings.focus();
    }
  });

  return {
    /** @param {string} name */
    setTheme(name) {
      for (const [key, node] of themes) node.setAttribute('aria-pressed', String(key === name));
    },
    /** @param {'layers' | 'queue'} panel @param {boolean} isShown */
    setPanel(panel, isShown) {
      panels[panel].setAttribute('aria-pressed', String(isShown));
    },
    ring() { dot.hidden = false; },
    /** Something happened: look again at what waits on the other pages. */
    count: places.load,
  };
}
