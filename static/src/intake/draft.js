// What is being typed, until the server has answered: a reload or a crash loses no call. It
// carries the id of the call, so that one sent before the crash is not taken twice. It lives
// with the tab, for it holds what a person said.

const KEY = 'wangge.intake';

/** @param {HTMLFormElement} form */
export function createDraft(form) {
  const typed = () => Object.fromEntries([...new FormData(form)].filter(([name, value]) => typeof value === 'string' && name !== 'csrf_token'));

  function save() {
    try { sessionStorage.setItem(KEY, JSON.stringify(typed())); } catch { /* storage may be off: a draft is a comfort */ }
  }

  function forget() {
    try { sessionStorage.removeItem(KEY); } catch { /* as above */ }
  }

  /** Put a draft back into the form. @returns {Record<string, string>} what it held */
  function restore() {
    /** @type {Record<string, string>} */
    let kept;
    try { kept = JSON.parse(sessionStorage.getItem(KEY) ?? '{}'); } catch { return {}; }
    for (const [name, value] of Object.entries(kept)) {
      for (const control of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (control instanceof HTMLInputElement && (control.type === 'radio' || control.type === 'checkbox')) control.checked = control.value === value;
        else if ((control instanceof HTMLInputElement && control.type !== 'file') || control instanceof HTMLTextAreaElement || control instanceof HTMLSelectElement) control.value = value;
      }
    }
    return kept;
  }
  return {save, forget, restore};
}
