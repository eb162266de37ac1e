// Who might take it: the department by the rules, people by grid, duty, road time and load,
// each with the reasons. Choosing one fills the form; nothing is sent by it.

import {getJson} from '../lib/api.js';
import {el, fill} from '../lib/dom.js';
import {number, t} from '../lib/i18n.js';
import {errorText, skeleton} from '../ui/errors.js';
import {icon} from '../ui/icon.js';

/** @typedef {{account: number | string, name: string, why?: string[], minutes?: number | null, open_cases?: number, on_duty?: boolean, is_grid_owner?: boolean}} Person */
/** @typedef {{department: {code: string, name: string, why: string | string[]} | null, people: Person[]}} Suggestions */

/** @param {string} id @param {{signal?: AbortSignal}} [options] @returns {Promise<Suggestions>} */
export const suggestionsOf = (id, options) => getJson(`/api/desk/cases/${id}/suggestions`, options);

const words = (/** @type {string | string[] | undefined} */ why) => [why ?? []].flat().filter(Boolean).join(t('field.or'));

/**
 * @param {{load: () => Promise<Suggestions>, chosen: () => {department: string | null, worker: string | null}, onDepartment: (code: string) => void, onPerson: ((account: string) => void) | null, onFound?: (found: Suggestions) => void}} options
 */
export function createSuggestions({load, chosen, onDepartment, onPerson, onFound}) {
  const host = el('div', {class: 'suggest', role: 'group', 'aria-label': t('dispatch.suggest')}, skeleton(2, 'line'));
  /** @type {{node: HTMLElement, isOn: () => boolean}[]} */
  let options = [];
  /** The digit that takes the next suggestion. */
  const digit = () => options.length < 9 && el('kbd', {'aria-hidden': 'true'}, String(options.length + 1));

  function mark() {
    for (const {node, isOn} of options) node.setAttribute('aria-pressed', String(isOn()));
  }

  /** @param {Person} person */
  function personOption(person) {
    const account = String(person.account);
    const node = el('button', {type: 'button', class: 'suggest-item', data: {worker: account}, onclick: () => { onPerson?.(account); mark(); }},
      icon('user'), digit(),
      el('span', {class: 'suggest-words'},
        el('span', {class: 'suggest-name'}, el('b', null, person.name),
          person.on_duty && el('span', {class: 'badge badge-ok'}, t('grid.onDuty')), person.is_grid_owner && el('span', {class: 'badge badge-brand'}, t('dispatch.suggest.owner'))),
        el('span', {class: 'muted small'}, words(person.why) || (person.open_cases === undefined ? '' : t('dispatch.suggest.load', {n: person.open_cases})))),
      el('span', {class: 'suggest-time nowrap'}, typeof person.minutes === 'number' ? t('dispatch.suggest.minutes', {n: number(Math.round(person.minutes))}) : '–'));
    options.push({node, isOn: () => chosen().worker === account});
    return el('li', null, node);
  }

  /** @param {Suggestions} found */
  function draw(found) {
    const {department, people} = found;
    options = [];
    const departmentNode = department && el('button', {type: 'button', class: 'suggest-item', data: {department: department.code}, onclick: () => { onDepartment(department.code); mark(); }},
      icon('building'), digit(), el('span', {class: 'suggest-words'}, el('b', null, department.name), el('span', {class: 'muted small'}, words(department.why))));
    if (department && departmentNode) options.push({node: departmentNode, isOn: () => !chosen().worker && chosen().department === department.code});
    fill(host,
      el('h4', null, t('dispatch.suggest')),
      departmentNode && el('ul', {class: 'suggest-list'}, el('li', null, departmentNode)),
      onPerson && people?.length > 0 && el('ul', {class: 'suggest-list', 'aria-label': t('dispatch.suggest.people')}, ...people.slice(0, 5).map(personOption)),
      !departmentNode && !people?.length && el('p', {class: 'muted small'}, t('dispatch.suggest.none')));
    mark();
    onFound?.(found);
  }

  load().then(draw, error => fill(host, el('p', {class: 'muted small', role: 'alert'}, icon('alert-triangle'), ' ', errorText(error))));
  return {
    element: host, mark,
    /** Take one by its place. @param {number} place @returns {boolean} */
    take(place) {
      options[place]?.node.click();
      return place in options;
    },
  };
}
