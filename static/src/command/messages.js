// The texts of the command center, with those that all faces share.

import commonZh from '../messages/common.zh.js';
import commonEn from '../messages/common.en.js';
import zh from '../messages/command.zh.js';
import en from '../messages/command.en.js';

export const messages = {zh: {...commonZh, ...zh}, en: {...commonEn, ...en}};
