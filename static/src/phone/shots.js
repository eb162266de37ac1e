// The photos of a form: chosen, made small, shown with their state, sent one by one.

import {sendBlob, retrying} from '../lib/api.js';
import {el, fill, styles} from '../lib/dom.js';
import {t} from '../lib/i18n.js';
import {sizeText} from '../lib/units.js';
import {errorText} from '../ui/errors.js';
import {icon} from '../ui/icon.js';
import {MAX_ORIGINAL_BYTES, PhotoError, shrink} from './photo.js';

/** @typedef {{name: string, blob: Blob, url: string, sha256: string, state: 'ready' | 'sending' | 'stored' | 'failed', why: string}} Shot */

/**
 * @param {{list: HTMLElement, drop: HTMLElement, input: HTMLInputElement, base: string, most?: number,
 *   onChange?: () => void, onProblem?: (text: string) => void}} options  `base` takes the photos, for instance `/api/blobs`
 */
export function createShots({list, drop, input, base, most = 3, onChange, onProblem}) {
  /** @type {Shot[]} */
  let shots = [];
  let busy = 0;

  /** Take photos that were just chosen or taken. @param {Iterable<File>} files */
  async function add(files) {
    for (const file of [...files].slice(0, Math.max(0, most - shots.length))) {
      busy += 1;
      draw();
      try {
        const blob = await shrink(file);
        shots = [...shots, {name: file.name, blob, url: URL.createObjectURL(blob), sha256: '', state: 'ready', why: ''}];
      } catch (error) {
        const code = error instanceof PhotoError ? error.code : 'unreadable';
        onProblem?.(t(`photo.${code}`, {name: file.name, size: sizeText(MAX_ORIGINAL_BYTES)}));
      } finally {
        busy -= 1;
      }
    }
    draw();
    onChange?.();
  }

  /** @param {Shot} shot */
  function remove(shot) {
    URL.revokeObjectURL(shot.url);
    shots = shots.filter(other => other !== shot);
    draw();
    onChange?.();
    input.focus();
  }

  function clear() {
    for (const shot of shots) URL.revokeObjectURL(shot.url);
    shots = [];
    draw();
  }

  const stateText = (/** @type {Shot} */ shot) => t(`photo.${shot.state}`, {size: sizeText(shot.blob.size), why: shot.why});

  function draw() {
    fill(list, shots.map((shot, place) => {
      const bar = el('i');
      styles(bar, {width: {ready: '0', sending: '60%', stored: '100%', failed: '0'}[shot.state]});
      return el('figure', {class: 'shot', data: {state: shot.state, bytes: String(shot.blob.size)}},
        el('img', {src: shot.url, alt: t('photo.alt', {n: place + 1})}),
        el('figcaption', {class: 'shot-state'}, shot.state === 'stored' && icon('check'), shot.state === 'failed' && icon('alert-triangle'),
          t('photo.count', {n: place + 1, total: shots.length}), ' · ', stateText(shot)),
        shot.state !== 'sending' && el('button', {type: 'button', class: 'icon-btn', 'aria-label': t('photo.remove', {n: place + 1}), onclick: () => remove(shot)}, icon('x')),
        el('span', {class: 'shot-bar'}, bar));
    }));
    list.classList.toggle('is-many', shots.length > 1);
    drop.hidden = shots.length >= most;
    drop.classList.toggle('is-small', shots.length > 0);
    drop.setAttribute('aria-busy', String(busy > 0));
  }

  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    input.value = '';
    void add(files);
  });

  /**
   * Store every photo on the server; one that fails does not stop the next, and what is
   * stored is not sent again. Returns their hashes; throws the first failure at the end.
   *
   * @returns {Promise<string[]>}
   */
  async function send() {
    let failure = null;
    for (const shot of shots) {
      if (shot.state === 'stored') continue;
      shot.state = 'sending';
      draw();
      try {
        shot.sha256 = (await retrying(() => sendBlob(base, shot.blob))).sha256;
        shot.state = 'stored';
      } catch (error) {
        shot.state = 'failed';
        shot.why = errorText(error);
        failure ??= error;
      }
      draw();
    }
    if (failure) throw failure;
    return shots.map(shot => shot.sha256);
  }

  /** The small photos as files, for a form that is sent without script's help. */
  const files = () => shots.map((shot, place) => new File([shot.blob], `${place + 1}.jpg`, {type: shot.blob.type}));

  return {add, send, files, clear, count: () => shots.length, isBusy: () => busy > 0};
}
