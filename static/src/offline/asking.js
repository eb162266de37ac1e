// Which questions of a sheet apply, by the same rule as the server's (grids/ledgers/asking.py).

/** @typedef {{value: any, words: string, at: string, on: string, by: string}} Known */
/** @typedef {{key: string, type: string, text: string, hint: string, unit: string, example: string, optional: boolean,
 *   checks: {min?: number, max?: number, whole?: boolean, most?: number}, options: {code: string, text: string, photo: boolean}[],
 *   conditions: [string, string[]][], forms: string[], known: Known | null, last: Known | null}} Item */

/** @param {any} value @param {string[]} codes */
const meets = (value, codes) => (Array.isArray(value) ? value.some(one => codes.includes(one)) : codes.includes(value));

/** @param {Item} item @param {Record<string, any>} values */
export const applies = (item, values) => !item.conditions.length || item.conditions.some(([key, codes]) => meets(values[key], codes));

/** All answers that count: what still holds, then what was given now. @param {Item[]} items @param {Record<string, any>} given */
export const standing = (items, given) => ({...Object.fromEntries(items.filter(one => one.known).map(one => [one.key, one.known?.value])), ...given});

/** What this visit has to have asked. @param {Item[]} items @param {Record<string, any>} given */
export function needed(items, given) {
  const values = standing(items, given);
  return items.filter(one => !one.known && applies(one, values));
}

/** Why an answer cannot be taken; an empty text where it can. @param {Item} item @param {any} value */
export function wrong(item, value) {
  if (item.type === 'number') {
    const number = Number(value);
    const {min = 0, max = 1e9, whole = false} = item.checks;
    if (!Number.isFinite(number) || number < min || number > max) return 'range';
    if (whole && !Number.isInteger(number)) return 'whole';
  }
  if (item.type === 'text' && String(value).length > (item.checks.most ?? 500)) return 'long';
  return '';
}
