// The data desk. Pages come from the server and work alone; what a page adds by script is in
// `data/`, started by the element that it belongs to.

import {pageData} from './lib/dom.js';
import {setZone, useMessages} from './lib/i18n.js';
import {showPresent} from './ui/menu-row.js';
import {bindThemeSwitch} from './ui/theme-switch.js';
import {showPlace} from './data/place-map.js';
import {startPick} from './data/place-pick.js';
import commonZh from './messages/common.zh.js';
import commonEn from './messages/common.en.js';
import {startAddresses} from './data/addresses.js';
import {startDrop, startImportMap, startMending, startWaiting} from './data/imports.js';
import {startRepairs} from './data/repairs.js';
import {startDesigner} from './data/designer.js';
import {showGrids} from './data/grids-map.js';
import {showQuality} from './data/quality-map.js';
import zh from './messages/data.zh.js';
import en from './messages/data.en.js';

document.documentElement.classList.add('has-script');
useMessages({zh: {...commonZh, ...zh}, en: {...commonEn, ...en}});
const page = pageData();
setZone(page.city?.zone);
bindThemeSwitch();
showPresent(document.querySelector('.admin-menu'));

const place = document.getElementById('place-map');
if (place && page.place) showPlace(place, page);
const pick = document.getElementById('pick-map');
if (pick) startPick(pick, page);
const places = document.getElementById('address-map');
if (places) startAddresses(places, /** @type {any} */ (pageData()));
const quality = document.getElementById('quality-map');
if (quality) showQuality(quality, page);
const drop = document.getElementById('drop');
if (drop) startDrop(drop);
const sample = document.getElementById('import-map');
if (sample) startImportMap(sample, page);
const waiting = document.getElementById('import-wait');
if (waiting) startWaiting(waiting, page);
const repairs = document.getElementById('repair-map');
if (repairs) startRepairs(repairs, page);
const mend = document.getElementById('mend');
if (mend) startMending(mend);
const grids = document.getElementById('grids-map');
if (grids && page.grids) showGrids(grids, page);
const designer = document.getElementById('designer');
if (designer && page.plan) startDesigner(designer, page);
