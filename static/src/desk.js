// The department's desk. Lists and forms come from the server; this file lets the time
// run, looks for news, shows the place and sends replies with small photos.

import {find, pageData} from './lib/dom.js';
import {setZone, useMessages} from './lib/i18n.js';
import commonZh from './messages/common.zh.js';
import commonEn from './messages/common.en.js';
import zh from './messages/desk.zh.js';
import en from './messages/desk.en.js';
import {startList} from './desk/list.js';
import {startListMap} from './desk/map.js';
import {startCase} from './desk/case.js';
import {startFlow} from './desk/flow.js';
import {startKeys} from './desk/keys.js';
import {bindThemeSwitch} from './ui/theme-switch.js';

useMessages({zh: commonZh, en: commonEn});
useMessages({zh, en});
document.documentElement.classList.add('has-script');

const data = pageData();
setZone(data.city?.zone);
bindThemeSwitch();
startList(data);
startListMap(data);
if (!document.getElementById('task')) startFlow(data);
if (document.getElementById('task')) startCase(find('#task'), data);
startKeys();
