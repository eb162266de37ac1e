// The texts of the desk, with those of the command center whose parts it uses.

import commonZh from '../messages/common.zh.js';
import commonEn from '../messages/common.en.js';
import commandZh from '../messages/command.zh.js';
import commandEn from '../messages/command.en.js';
import zh from '../messages/dispatch.zh.js';
import en from '../messages/dispatch.en.js';

export const messages = {zh: {...commonZh, ...commandZh, ...zh}, en: {...commonEn, ...commandEn, ...en}};
