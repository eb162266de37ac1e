// Points that would lie on one another on the screen are drawn as one with a number.
// The most pressing of them is what one sees.

/**
 * @template {{x: number, y: number}} P
 * @param {P[]} points  most pressing first
 * @param {number} apart  pixels
 * @returns {{top: P, all: P[]}[]}
 */
export function declutter(points, apart) {
  /** @type {Map<string, {top: P, all: P[]}[]>} */
  const cells = new Map();
  const groups = [];
  const column = (/** @type {number} */ value) => Math.floor(value / apart);
  for (const point of points) {
    const group = nearest(cells, point, column(point.x), column(point.y), apart);
    if (group) {
      group.all.push(point);
      continue;
    }
    const made = {top: point, all: [point]};
    groups.push(made);
    const key = `${column(point.x)},${column(point.y)}`;
    cells.set(key, [...(cells.get(key) ?? []), made]);
  }
  return groups;
}

/**
 * @template {{x: number, y: number}} P
 * @param {Map<string, {top: P, all: P[]}[]>} cells
 * @param {P} point
 * @param {number} column
 * @param {number} row
 * @param {number} apart
 */
function nearest(cells, point, column, row, apart) {
  for (let dx = -1; dx <= 1; dx += 1) {
    for (let dy = -1; dy <= 1; dy += 1) {
      for (const group of cells.get(`${column + dx},${row + dy}`) ?? []) {
        if (Math.hypot(group.top.x - point.x, group.top.y - point.y) < apart) return group;
      }
    }
  }
  return null;
}
