// Which icon stands for a time state and for a step of a case; unknown steps have an arrow.

/** @type {Record<string, string>} */
export const RISK_ICONS = {late: 'alert-triangle', soon: 'clock-exclamation', ok: 'circle-check', paused: 'clock-pause', done: 'check'};

/** @type {Record<string, string>} */
const ACTION_ICONS = {
  submit: 'speakerphone', accept: 'inbox', reject: 'circle-x', verify: 'walk', find_untrue: 'circle-x', file: 'folder', refuse: 'circle-x', dispatch: 'send', fast_track: 'bolt',
  reassign: 'route', sign: 'writing', handle: 'tool', reply: 'message', self_close: 'checks', sample: 'search', check_ok: 'clipboard-check', ask_check: 'map-pin',
  close: 'circle-check', reopen: 'refresh', rework: 'rotate', return: 'arrow-back-up', send_back: 'arrow-back-up', ask_void: 'ban', void: 'ban', merge: 'git-merge', unmerge: 'git-merge',
  ask_extend: 'calendar-due', extend: 'calendar-due', refuse_extend: 'circle-x', ask_defer: 'hourglass', defer: 'hourglass', refuse_defer: 'circle-x',
  ask_suspend: 'player-pause', suspend: 'player-pause', refuse_suspend: 'circle-x', resume: 'player-play', assist_reply: 'users', supervise: 'eye', answer_supervision: 'message-2',
  expedite: 'bolt', appeal: 'gavel', appeal_first: 'gavel', appeal_final: 'gavel', ask_reporter: 'phone', reporter_answered: 'phone', hand_over: 'external-link',
  outside_replied: 'message', take_back: 'arrow-back-up', escalate: 'arrow-up', delegate: 'arrow-down', dispute: 'hand-stop', arbitrate: 'gavel', undo: 'arrow-back-up', comment: 'message-2',
};

/** @param {string} action @param {string} [other] */
export const actionIcon = (action, other = 'arrow-right') => ACTION_ICONS[action] ?? other;
