// The ground of a plan in the browser: patches, which of them touch, which one lies under a place.

/** @typedef {{scale: number, rings: number[][][], owner: number[]}} Ground  as the server sends it */
/** @typedef {{x1: number, y1: number, x2: number, y2: number, one: number, other: number}} Side  other: -1 at the border of the town */

/** @param {number[]} steps  first corner, then steps from corner to corner */
function corners(steps) {
  const found = new Int32Array(steps.length);
  let x = 0;
  let y = 0;
  for (let at = 0; at < steps.length; at += 2) {
    x += steps[at];
    y += steps[at + 1];
    found[at] = x;
    found[at + 1] = y;
  }
  return found;
}

/** Put runs of value and count back into one value each. @param {number[]} runs */
export function unrolled(runs) {
  let total = 0;
  for (let at = 1; at < runs.length; at += 2) total += runs[at];
  const found = new Int32Array(total);
  let place = 0;
  for (let at = 0; at < runs.length; at += 2) {
    found.fill(runs[at], place, place + runs[at + 1]);
    place += runs[at + 1];
  }
  return found;
}

/** @param {Ground} ground */
export function createPatches(ground) {
  const rings = ground.rings.map(each => each.map(corners));
  const boxes = rings.map(([outer]) => {
    let west = Infinity, south = Infinity, east = -Infinity, north = -Infinity;
    for (let at = 0; at < outer.length; at += 2) {
      west = Math.min(west, outer[at]); east = Math.max(east, outer[at]);
      south = Math.min(south, outer[at + 1]); north = Math.max(north, outer[at + 1]);
    }
    return [west, south, east, north];
  });
  const sides = sidesOf(rings);
  // Patches are about as large as a cell: a bin of 0.002 degrees holds a few of them.
  const bin = ground.scale * 0.002;
  /** @type {Map<string, number[]>} */
  const bins = new Map();
  boxes.forEach(([west, south, east, north], patch) => {
    for (let col = Math.floor(west / bin); col <= Math.floor(east / bin); col += 1) {
      for (let row = Math.floor(south / bin); row <= Math.floor(north / bin); row += 1) {
        const key = `${col},${row}`;
        bins.set(key, [...(bins.get(key) ?? []), patch]);
      }
    }
  });

  /** The patch under a place, -1 outside the town. @param {number} lon @param {number} lat */
  function at(lon, lat) {
    const x = lon * ground.scale;
    const y = lat * ground.scale;
    const near = bins.get(`${Math.floor(x / bin)},${Math.floor(y / bin)}`) ?? [];
    return near.find(patch => rings[patch].reduce((inside, ring) => inside !== crosses(ring, x, y), false)) ?? -1;
  }

  /** The corners of the ground that some patches take, for a map. @param {(patch: number) => boolean} isOf @returns {[[number, number], [number, number]] | null} */
  function boxOf(isOf) {
    const chosen = boxes.filter((_, patch) => isOf(patch));
    if (!chosen.length) return null;
    const edge = (/** @type {number} */ side, /** @type {(...values: number[]) => number} */ most) => most(...chosen.map(box => box[side])) / ground.scale;
    return [[edge(1, Math.min), edge(0, Math.min)], [edge(3, Math.max), edge(2, Math.max)]];
  }

  return {count: rings.length, rings, sides, boxOf, owner: Int32Array.from(ground.owner), scale: ground.scale, at};
}

/** Whether a line to the east of a place crosses a ring an odd number of times. @param {Int32Array} ring @param {number} x @param {number} y */
function crosses(ring, x, y) {
  let inside = false;
  for (let a = 0, b = ring.length - 2; a < ring.length; b = a, a += 2) {
    if (ring[a + 1] > y !== ring[b + 1] > y && x < ((ring[b] - ring[a]) * (y - ring[a + 1])) / (ring[b + 1] - ring[a + 1]) + ring[a]) inside = !inside;
  }
  return inside;
}

/** @param {Int32Array[][]} rings @returns {Side[]} */
function sidesOf(rings) {
  /** @type {Map<string, Side>} */
  const found = new Map();
  rings.forEach((each, patch) => {
    for (const ring of each) {
      for (let a = 0; a < ring.length; a += 2) {
        const b = (a + 2) % ring.length;
        const [x1, y1, x2, y2] = ring[a] < ring[b] || (ring[a] === ring[b] && ring[a + 1] <= ring[b + 1])
          ? [ring[a], ring[a + 1], ring[b], ring[b + 1]] : [ring[b], ring[b + 1], ring[a], ring[a + 1]];
        const key = `${x1},${y1},${x2},${y2}`;
        const known = found.get(key);
        if (known) known.other = patch;
        else found.set(key, {x1, y1, x2, y2, one: patch, other: -1});
      }
    }
  });
  return [...found.values()];
}

/** How heavily a grid is loaded beside the mean, as a step of the ramp. @param {number} hours @param {number} mean */
export function loadStep(hours, mean) {
  const share = mean ? hours / mean : 0;
  return [0.7, 0.9, 1.1, 1.3].filter(edge => share >= edge).length;
}
