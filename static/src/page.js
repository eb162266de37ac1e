// Pages without an application of their own: language, theme, and fields that find a category.

import {pageData} from './lib/dom.js';
import {setZone, useMessages} from './lib/i18n.js';
import {bindCategoryFields} from './ui/category-field.js';
import {bindThemeSwitch} from './ui/theme-switch.js';
import zh from './messages/common.zh.js';
import en from './messages/common.en.js';

document.documentElement.classList.add('has-script');
useMessages({zh, en});
setZone(pageData().city?.zone);
bindThemeSwitch();
bindCategoryFields();
