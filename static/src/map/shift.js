// Commercial base maps of mainland China are drawn in GCJ-02. Our data never is: only
// the place where such a base map is shown is shifted, and points picked on it are
// shifted back.

const A = 6_378_245;
const EE = 0.006_693_421_622_965_943;

/** GCJ-02 is defined inside China only. @param {number} lon @param {number} lat */
export const isInChina = (lon, lat) => lon > 72.004 && lon < 137.8347 && lat > 0.8293 && lat < 55.8271;

/** @param {number} x @param {number} y */
function waves(x, y) {
  const {PI, sin} = Math;
  return (20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * (2 / 3) + y;
}

/** @param {number} x @param {number} y */
function latShift(x, y) {
  const {PI, sin, sqrt, abs} = Math;
  return waves(x, -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)))
    + (20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * (2 / 3)
    + (160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * (2 / 3);
}

/** @param {number} x @param {number} y */
function lonShift(x, y) {
  const {PI, sin, sqrt, abs} = Math;
  return waves(x, 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)))
    + (20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * (2 / 3)
    + (150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * (2 / 3);
}

/** @param {number} lon @param {number} lat @returns {[number, number]} */
export function toGcj02(lon, lat) {
  if (!isInChina(lon, lat)) return [lon, lat];
  const rad = (lat / 180) * Math.PI;
  const magic = 1 - EE * Math.sin(rad) ** 2;
  const root = Math.sqrt(magic);
  const north = (latShift(lon - 105, lat - 35) * 180) / (((A * (1 - EE)) / (magic * root)) * Math.PI);
  const east = (lonShift(lon - 105, lat - 35) * 180) / ((A / root) * Math.cos(rad) * Math.PI);
  return [lon + east, lat + north];
}

/** Back from GCJ-02, by iteration; within a millimetre of the forward shift. @param {number} lon @param {number} lat @returns {[number, number]} */
export function fromGcj02(lon, lat) {
  let [x, y] = [lon, lat];
  for (let round = 0; round < 6; round += 1) {
    const [shiftedX, shiftedY] = toGcj02(x, y);
    x += lon - shiftedX;
    y += lat - shiftedY;
  }
  return [x, y];
}
