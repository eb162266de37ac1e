// The faces of the three administrators. Every page and form works by itself; this file keeps
// the count of alarms and the figures fresh, walks the tree of areas without a new page and
// copies a one-time password.

import {pageData} from './lib/dom.js';
import {setZone, useMessages} from './lib/i18n.js';
import commonZh from './messages/common.zh.js';
import commonEn from './messages/common.en.js';
import zh from './messages/admin.zh.js';
import en from './messages/admin.en.js';
import {startBell} from './admin/bell.js';
import {bindCopy} from './admin/copy.js';
import {keepFresh} from './admin/fresh.js';
import {bindPicker} from './admin/picker.js';
import {bindProof} from './admin/proof.js';
import {bindThemeSwitch} from './ui/theme-switch.js';

useMessages({zh: commonZh, en: commonEn});
useMessages({zh, en});
document.documentElement.classList.add('has-script');
setZone(pageData().city?.zone);
bindThemeSwitch();
bindCopy();
bindPicker();
bindProof();
startBell();
keepFresh();
