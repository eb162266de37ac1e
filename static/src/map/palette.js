// The quiet colours of the base map. Data is loud, so nothing here is.

/** @typedef {typeof LIGHT} Palette */

const LIGHT = {
  isDark: false,
  land: '#f1f3f2',
  built: '#eceeef', industrial: '#eaebef', farmland: '#eef2e6', grass: '#e4eedd', park: '#dcebd6', wood: '#d8e6d3', bare: '#edebe6', civic: '#f0ece6',
  water: '#c6dcea', waterEdge: '#b4cfe0',
  building: '#e1e4e7', buildingEdge: '#d0d5da',
  casing: '#d3d9de', majorCasing: '#dcc798', motorwayCasing: '#d9b271',
  road: '#ffffff', major: '#fff6e0', motorway: '#fde6bb', path: '#cfd4d4',
  rail: '#b4bcc4', railGap: '#f4f6f7', boundary: '#a394b8',
  place: '#2d3945', placeMinor: '#57636f', roadName: '#5a6672', waterName: '#4a7d9d', poi: '#6b7580', gridName: '#2a5c80', halo: '#ffffffe6',
};

/** @type {Palette} */
const DARK = {
  isDark: true,
  land: '#0d161d',
  built: '#111c24', industrial: '#131c27', farmland: '#0f1b1c', grass: '#10201d', park: '#10251f', wood: '#0f241e', bare: '#151b20', civic: '#151d26',
  water: '#0a2738', waterEdge: '#10354b',
  building: '#17232d', buildingEdge: '#21303c',
  casing: '#0a1117', majorCasing: '#0a1117', motorwayCasing: '#0a1117',
  road: '#22313d', major: '#2d3d4a', motorway: '#3f4b52', path: '#1d2a34',
  rail: '#2e3d4a', railGap: '#0f1920', boundary: '#5b5377',
  place: '#e3ebf2', placeMinor: '#b3c1cd', roadName: '#b0bfcb', waterName: '#7db8da', poi: '#a9b8c4', gridName: '#9cc7e2', halo: '#0b1218e0',
};

/** @param {boolean} isDark @returns {Palette} */
export const palette = isDark => (isDark ? DARK : LIGHT);
