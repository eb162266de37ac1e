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
    const command = commands[event.key];
    if (!command) return;
    if (event.key === 'Enter' && event.target instanceof Element && event.target.closest('a, button')) return;
    event.preventDefault();
    command(event);
  });
}
