// Photos are made small on the phone: a report must pass through a weak network.

/** Longest side and size of what is sent. */
export const MAX_SIDE = 1600;
export const MAX_BYTES = 300 * 1024;
/** More than a phone's camera makes; the server refuses it too. */
export const MAX_ORIGINAL_BYTES = 15 * 1024 * 1024;

/** Tried in this order until the photo is small enough: longest side and JPEG quality. @type {[number, number][]} */
const STEPS = [[1600, 0.82], [1600, 0.7], [1600, 0.55], [1280, 0.6], [1024, 0.6], [800, 0.55]];

export class PhotoError extends Error {
  /** @param {'too_large' | 'unreadable'} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * Shrink a photo to at most 1600 px and 300 KB. A small JPEG stays as it is, so that the
 * server can read when and where it was taken; turning follows the camera's mark.
 *
 * @param {File} file
 * @returns {Promise<Blob>}
 */
export async function shrink(file) {
  if (file.size > MAX_ORIGINAL_BYTES) throw new PhotoError('too_large');
  const picture = await createImageBitmap(file, {imageOrientation: 'from-image'}).catch(() => {
    throw new PhotoError('unreadable');
  });
  try {
    const isSmall = file.size <= MAX_BYTES && Math.max(picture.width, picture.height) <= MAX_SIDE;
    if (isSmall && file.type === 'image/jpeg') return file;
    return await encode(picture);
  } finally {
    picture.close();
  }
}

/** @param {ImageBitmap} picture */
async function encode(picture) {
  let blob = null;
  for (const [side, quality] of STEPS) {
    blob = await draw(picture, side, quality);
    if (blob.size <= MAX_BYTES) break;
  }
  return /** @type {Blob} */ (blob);
}

/** @param {ImageBitmap} picture @param {number} side @param {number} quality @returns {Promise<Blob>} */
function draw(picture, side, quality) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext('2d');
  if (!context) return Promise.reject(new PhotoError('unreadable'));
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob(blob => (blob ? resolve(blob) : reject(new PhotoError('unreadable'))), 'image/jpeg', quality);
  });
}
