// Keys of a page. A bare letter is not a command while somebody writes, and never while
// an input method composes.

/** Whether a key press belongs to what has the focus. @param {KeyboardEvent} event */
export function isTyping(event) {
  if (event.isComposing || event.keyCode === 229) return true;
  const target = event.target instanceof Element ? event.target : null;
  return Boolean(target?.closest('input:not([type="checkbox"]):not([type="radio"]), textarea, select, [contenteditable], dialog[open]'));
}

/** @param {Record<string, (event: KeyboardEvent) => void>} commands  by `event.key` */
export function bindKeys(commands) {
  document.addEventListener('keydown', event => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    // With Caps Lock on, a letter is the same letter.
    const command = commands[event.key] ?? (event.shiftKey ? undefined : commands[event.key.toLowerCase()]);
    if (!command) return;
    const target = event.target instanceof Element ? event.target : null;
    if (event.key === 'Enter' && target?.closest('a, button, summary')) return;
    if (event.key === ' ' && target?.closest('button, summary, input')) return;
    event.preventDefault();
    command(event);
  });
}
