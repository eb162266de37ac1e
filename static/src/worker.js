// The grid worker's application. Lists and forms come from the server and work as they
// are; this file adds distances, the camera on the report button, the map and sending.

import {pageData} from './lib/dom.js';
import {setZone, useMessages} from './lib/i18n.js';
import commonZh from './messages/common.zh.js';
import commonEn from './messages/common.en.js';
import zh from './messages/worker.zh.js';
import en from './messages/worker.en.js';
import {bindThemeSwitch} from './ui/theme-switch.js';
import {startMap} from './worker/map.js';
import {startMoves} from './worker/moves.js';
import {keepShell, openPhone} from './worker/offline.js';
import {startNewEntry} from './worker/new-entry.js';
import {bindCamera, startReport} from './worker/report.js';
import {startRound} from './worker/round.js';
import {startTasks} from './worker/tasks.js';
import {watchWaiting} from './worker/waiting.js';

useMessages({zh: commonZh, en: commonEn});
useMessages({zh, en});
document.documentElement.classList.add('has-script');

const data = pageData();
setZone(data.city?.zone);
bindThemeSwitch();
bindCamera();
startTasks(data);
const form = document.getElementById('report');
if (form instanceof HTMLFormElement) startReport(form, data);
const newEntry = document.getElementById('new-entry');
if (newEntry instanceof HTMLFormElement) startNewEntry(newEntry, data);
const task = document.getElementById('task');
if (task) startMoves(task, data);
const map = document.getElementById('big-map');
if (map) startMap(map, data);
void remember();

/** What waits on this phone is shown and sent on every page; visits work without a network. */
async function remember() {
  /** @type {ReturnType<typeof watchWaiting> | null} */
  let waiting = null;
  const phone = await openPhone(() => void waiting?.show());
  if (!phone) return;
  waiting = watchWaiting(phone);
  await waiting.show();
  await startRound(phone, waiting, data);
  if (!phone.isOnline) return;
  await waiting.send();
  await keepShell();
}
