// The keys of the command center, told on request.

import {el} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {openDialog} from '../ui/dialog.js';

const HELP = [['/', 'search'], ['j k', 'move'], ['Enter', 'open'], ['Esc', 'back'], ['a', 'act'], ['l', 'layers'], ['q', 'queue'], ['0 1 2 3 4', 'themes'], ['Space', 'play'], ['?', 'help']];

export function openHelp() {
  openDialog({
    title: t('help.title'),
    body: el('dl', {class: 'facts help'}, ...HELP.flatMap(([keys, name]) => [
      el('dt', null, ...keys.split(' ').map(key => el('kbd', null, key))), el('dd', null, t(`help.${name}`))])),
  });
}
