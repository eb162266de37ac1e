// Stands for parts of protomaps-leaflet that are never called: its ready-made styles and
// the reader of PMTiles packages. See UNUSED in build.mjs.

const never = () => {
  throw new Error('not part of this build');
};

export const namedFlavor = never;
export const mix = never;
export const PMTiles = never;
