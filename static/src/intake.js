// The operator's seat. The form posts itself without this file; with it a call is taken by
// keyboard only: who rang before, what it is by pinyin, where it is, and on to the next call.

import {find, pageData} from './lib/dom.js';
import {setZone, useMessages} from './lib/i18n.js';
import commonZh from './messages/common.zh.js';
import commonEn from './messages/common.en.js';
import zh from './messages/intake.zh.js';
import en from './messages/intake.en.js';
import {startIntake} from './intake/form.js';
import {bindThemeSwitch} from './ui/theme-switch.js';

useMessages({zh: commonZh, en: commonEn});
useMessages({zh, en});
document.documentElement.classList.add('has-script');

const data = pageData();
setZone(data.city?.zone);
bindThemeSwitch();
startIntake(/** @type {HTMLFormElement} */ (find('#intake')), data);
