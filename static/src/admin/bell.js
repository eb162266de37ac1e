// The count of alarms in the head of every page of the security administrator.

import {getJson} from '../lib/api.js';
import {fresh} from './fresh.js';

const EVERY_MS = 10_000;

export function startBell() {
  const bell = document.getElementById('bell');
  const count = bell?.querySelector('[data-alarms]');
  if (!bell || !count) return;

  async function look() {
    if (document.hidden) return;
    const found = await getJson('/admin/api/alarms').catch(() => null);
    if (!found || !bell || !count) return;
    const text = String(found.open);
    bell.classList.toggle('bell-on', found.open > 0);
    if (count.textContent === text) return;
    count.textContent = text;
    await fresh();
  }

  setInterval(look, EVERY_MS);
  document.addEventListener('visibilitychange', look);
}
