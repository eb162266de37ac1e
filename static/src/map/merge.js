// A street comes as many short pieces; a name needs a long line. Pieces of one name
// that meet at their ends are joined, per tile.

/** @typedef {import('protomaps-leaflet').Feature} Feature */
/** @typedef {{x: number, y: number}} XY */

/**
 * Join the named lines of a tile.
 *
 * @param {Feature[]} features
 * @returns {Feature[]}
 */
export function mergeLines(features) {
  /** @type {Map<string, {feature: Feature, lines: XY[][]}>} */
  const named = new Map();
  for (const feature of features) {
    if (!feature.props.name || feature.geomType !== 2) continue;
    const key = `${feature.props.name}|${feature.props.class ?? feature.props.kind}`;
    const group = named.get(key) ?? {feature, lines: []};
    group.lines.push(...feature.geom);
    named.set(key, group);
  }
  return [...named.values()].map(({feature, lines}) => {
    const geom = joinEnds(lines);
    return /** @type {Feature} */ ({...feature, geom, bbox: boxOf(geom), numVertices: geom.reduce((sum, line) => sum + line.length, 0)});
  });
}

const keyOf = (/** @type {XY} */ point) => `${Math.round(point.x * 4)},${Math.round(point.y * 4)}`;

/** Join lines end to end where just two of them meet. @param {XY[][]} lines @returns {any[][]} */
export function joinEnds(lines) {
  /** @type {Map<string, Set<XY[]>>} */
  const ends = new Map();
  const at = (/** @type {XY} */ point) => {
    const key = keyOf(point);
    const set = ends.get(key) ?? new Set();
    ends.set(key, set);
    return set;
  };
  const first = (/** @type {XY[]} */ line) => line[0];
  const last = (/** @type {XY[]} */ line) => line[line.length - 1];
  const add = (/** @type {XY[]} */ line) => { at(first(line)).add(line); at(last(line)).add(line); };
  const drop = (/** @type {XY[]} */ line) => { at(first(line)).delete(line); at(last(line)).delete(line); };
  lines.filter(line => line.length > 1).forEach(add);

  for (const meeting of [...ends.keys()]) {
    const pair = [...(ends.get(meeting) ?? [])];
    if (pair.length !== 2) continue;
    const [a, b] = pair;
    drop(a);
    drop(b);
    const head = keyOf(last(a)) === meeting ? a : [...a].reverse();
    const tail = keyOf(first(b)) === meeting ? b : [...b].reverse();
    add([...head, ...tail.slice(1)]);
  }
  return [...new Set([...ends.values()].flatMap(set => [...set]))];
}

/** @param {XY[][]} geom */
function boxOf(geom) {
  const xs = geom.flat().map(point => point.x);
  const ys = geom.flat().map(point => point.y);
  return {minX: Math.min(...xs), minY: Math.min(...ys), maxX: Math.max(...xs), maxY: Math.max(...ys)};
}
