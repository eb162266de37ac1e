// Who is responsible. Every page and form works by itself; script keeps the progress of a
// running trial fresh.

import {pageData} from './lib/dom.js';
import {setZone, useMessages} from './lib/i18n.js';
import {bindCategoryFields} from './ui/category-field.js';
import {bindThemeSwitch} from './ui/theme-switch.js';
import zh from './messages/common.zh.js';
import en from './messages/common.en.js';

const EVERY_MS = 2000;

useMessages({zh, en});
setZone(pageData().city?.zone);
document.documentElement.classList.add('has-script');
bindThemeSwitch();
bindCategoryFields();
if (document.querySelector('[data-running]')) setTimeout(() => location.reload(), EVERY_MS);
