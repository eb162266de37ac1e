// Notes beside the fields of a server-rendered form: each `[data-field]` has a `.field-error`.

/**
 * @param {HTMLElement} form
 */
export function createNotes(form) {
  const placeOf = (/** @type {string} */ name) => form.querySelector(`[data-field="${CSS.escape(name)}"]`);

  /** Show what is wrong beside a field; without a text take the note away. @param {string} name @param {string} [text] */
  function show(name, text = '') {
    const place = placeOf(name);
    const note = place?.querySelector(':scope > .field-error, .field-error');
    if (!place || !(note instanceof HTMLElement)) return false;
    note.textContent = text;
    note.hidden = !text;
    place.classList.toggle('field-invalid', Boolean(text));
    const control = place.querySelector('input:not([type="hidden"]), select, textarea');
    if (text) control?.setAttribute('aria-invalid', 'true');
    else control?.removeAttribute('aria-invalid');
    return true;
  }

  function clear() {
    for (const place of form.querySelectorAll('[data-field]')) show(place.getAttribute('data-field') ?? '');
  }

  /** Show several, bring the first into sight. @param {Record<string, string>} problems  @returns {string[]} those that have no field */
  function showAll(problems) {
    clear();
    const homeless = Object.entries(problems).filter(([name, text]) => text && !show(name, text)).map(([, text]) => text);
    const first = form.querySelector('.field-invalid');
    first?.scrollIntoView({block: 'center'});
    const control = first?.querySelector('input:not([type="hidden"]), select, textarea, button');
    if (control instanceof HTMLElement) control.focus({preventScroll: true});
    return homeless;
  }

  return {show, clear, showAll};
}

/** Forget what was typed into a form that has arrived. @param {string} key */
export function forgetDraft(key) {
  try { sessionStorage.removeItem(key); } catch { /* storage may be off: a draft is a comfort */ }
}

/**
 * Keep what was typed while the tab lives, so that a reload loses nothing.
 *
 * @param {HTMLFormElement} form
 * @param {string} key
 */
export function keepDraft(form, key) {
  const skip = new Set(['csrf_token', 'id', 'website']);
  const typed = () => Object.fromEntries([...new FormData(form)].filter(([name, value]) => typeof value === 'string' && !skip.has(name) && value));
  const save = () => {
    try { sessionStorage.setItem(key, JSON.stringify(typed())); } catch { /* storage may be off: a draft is a comfort */ }
  };
  const forget = () => forgetDraft(key);
  /** @returns {Record<string, string>} */
  const kept = () => {
    try { return JSON.parse(sessionStorage.getItem(key) ?? '{}'); } catch { return {}; }
  };
  const before = kept();
  for (const [name, value] of Object.entries(before)) {
    for (const control of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (control instanceof HTMLInputElement && control.type === 'radio') control.checked = control.value === value;
      else if ((control instanceof HTMLInputElement && control.type !== 'file') || control instanceof HTMLTextAreaElement || control instanceof HTMLSelectElement) control.value ||= value;
    }
  }
  form.addEventListener('input', save);
  return {save, forget, before};
}
