// The public portal. Every page works without this file; it makes photos small, finds the
// place, sends with progress and keeps a report's page up to date.

import {pageData} from './lib/dom.js';
import {setZone, useMessages} from './lib/i18n.js';
import commonZh from './messages/common.zh.js';
import commonEn from './messages/common.en.js';
import zh from './messages/portal.zh.js';
import en from './messages/portal.en.js';
import {startReport} from './portal/report.js';
import {startTrack} from './portal/track.js';

useMessages({zh: commonZh, en: commonEn});
useMessages({zh, en});
document.documentElement.classList.add('has-script');

const data = pageData();
setZone(data.city?.zone);
const form = document.getElementById('report');
if (form instanceof HTMLFormElement) startReport(form, data);
const track = document.getElementById('report-state');
if (track) startTrack(track);
