// Builds static/dist: one bundle per entry point (src/*.js), one style sheet per
// entry (src/styles/*.css except the tokens), the icon sprite and the files of
// src/public. Names carry a hash of their content; dist/manifest.json maps the
// plain name to the built one, and templates ask for it through asset_url().
//
//   node build.mjs            build once, minified
//   node build.mjs --watch    rebuild on change, with source maps

import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {mkdir, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {basename, dirname, extname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import * as esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const src = join(here, 'src');
const dist = join(here, 'dist');
const watch = process.argv.includes('--watch');

/** Style sheets that others import; they are no entry points. */
const SHARED_STYLES = new Set(['tokens.css']);
/** Has to keep its name: the browser looks for updates at the same address. */
const SERVICE_WORKER = 'sw.js';

const digest = (/** @type {string | Uint8Array} */ data) =>
  createHash('sha256').update(data).digest('hex').slice(0, 10);

const hashed = (/** @type {string} */ name, /** @type {string | Uint8Array} */ data) =>
  `${basename(name, extname(name))}.${digest(data)}${extname(name)}`;

async function listed(/** @type {string} */ folder, /** @type {string} */ extension) {
  if (!existsSync(folder)) return [];
  const names = await readdir(folder);
  return names.filter(name => name.endsWith(extension)).sort();
}

/** One SVG with a symbol per icon named in src/icons.json. */
async function sprite() {
  const names = JSON.parse(await readFile(join(src, 'icons.json'), 'utf8'));
  const symbols = await Promise.all([...new Set(names)].sort().map(symbol));
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join('')}</svg>\n`;
}

async function symbol(/** @type {string} */ name) {
  const [style, file] = name.endsWith('-filled')
    ? ['filled', name.slice(0, -'-filled'.length)]
    : ['outline', name];
  const path = join(here, 'node_modules/@tabler/icons/icons', style, `${file}.svg`);
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Error(`src/icons.json names "${name}", which @tabler/icons does not have`);
  });
  const shapes = [...text.matchAll(/<(path|circle|rect|line)\b[^>]*\/>/g)]
    .map(match => match[0].replace(/\s+/g, ' '))
    .filter(shape => !shape.includes('M0 0h24v24H0z'));
  return `<symbol id="${name}" viewBox="0 0 24 24">${shapes.join('')}</symbol>`;
}

/** A transparent picture of one pixel: Leaflet's own is a data: address, which the CSP refuses. */
const EMPTY_GIF = Buffer.from('R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==', 'base64');

/** Files that are written as they are; returns their part of the manifest. */
async function plainFiles(/** @type {string} */ out) {
  /** @type {[string, string | Uint8Array][]} */
  const files = [['icons.svg', await sprite()], ['empty.gif', EMPTY_GIF]];
  for (const name of await readdir(join(src, 'public')).catch(() => [])) {
    files.push([name, await readFile(join(src, 'public', name))]);
  }
  /** @type {Record<string, string>} */
  const manifest = {};
  for (const [name, data] of files) {
    manifest[name] = hashed(name, data);
    await writeFile(join(out, manifest[name]), data);
  }
  return manifest;
}

/** What protomaps-leaflet brings along for its own styles and packages; we use neither. */
const UNUSED = ['@protomaps/basemaps', 'color2k', 'pmtiles'];

/** Options shared by all bundles. */
function options(/** @type {string} */ out, /** @type {Record<string, string>} */ plain) {
  return {
    bundle: true,
    outdir: out,
    format: /** @type {const} */ ('esm'),
    target: ['chrome100', 'firefox102', 'safari15'],
    minify: !watch,
    sourcemap: watch ? /** @type {const} */ ('linked') : false,
    metafile: true,
    logLevel: /** @type {const} */ ('warning'),
    legalComments: /** @type {const} */ ('eof'),
    loader: /** @type {const} */ ({'.png': 'file', '.svg': 'file', '.gif': 'file', '.woff2': 'file'}),
    alias: Object.fromEntries(UNUSED.map(name => [name, join(src, 'map/unused.js')])),
    entryNames: '[name].[hash]',
    assetNames: '[name].[hash]',
    define: {
      __ICONS__: JSON.stringify(plain['icons.svg']),
      __EMPTY_GIF__: JSON.stringify(plain['empty.gif']),
    },
  };
}

async function build() {
  // Two builds at once must not meet in one folder.
  const out = `${dist}.new.${process.pid}`;
  await rm(out, {recursive: true, force: true});
  await mkdir(out, {recursive: true});
  const plain = await plainFiles(out);
  const scripts = (await listed(src, '.js')).filter(name => name !== SERVICE_WORKER);
  const styles = (await listed(join(src, 'styles'), '.css')).filter(name => !SHARED_STYLES.has(name));
  const manifest = {...plain};
  for (const [folder, names] of /** @type {[string, string[]][]} */ ([[src, scripts], [join(src, 'styles'), styles]])) {
    if (!names.length) continue;
    const made = await esbuild.build({...options(out, plain), entryPoints: names.map(name => join(folder, name))});
    for (const [path, info] of Object.entries(made.metafile?.outputs ?? {})) {
      if (info.entryPoint) manifest[basename(info.entryPoint)] = basename(path);
    }
  }
  await serviceWorker(out, plain, manifest);
  await writeFile(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 1)}\n`);
  await swap(out);
  return manifest;
}

/** The service worker's cache name carries the hash of everything that was built. */
async function serviceWorker(/** @type {string} */ out, /** @type {Record<string, string>} */ plain,
  /** @type {Record<string, string>} */ manifest) {
  if (!existsSync(join(src, SERVICE_WORKER))) return;
  const shared = options(out, plain);
  await esbuild.build({
    ...shared,
    format: 'iife',
    entryPoints: [join(src, SERVICE_WORKER)],
    entryNames: '[name]',
    define: {
      ...shared.define,
      __BUILD__: JSON.stringify(digest(JSON.stringify(manifest))),
      __MANIFEST__: JSON.stringify(manifest),
    },
  });
  manifest[SERVICE_WORKER] = SERVICE_WORKER;
}

/** Put the new folder in place at once: a request never meets half a build. */
async function swap(/** @type {string} */ out) {
  const old = `${dist}.old.${process.pid}`;
  await rename(dist, old).catch(error => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(out, dist);
  await rm(old, {recursive: true, force: true});
}

async function watchSources() {
  const {watch: watchFolder} = await import('node:fs');
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  watchFolder(src, {recursive: true}, () => {
    clearTimeout(timer);
    timer = setTimeout(() => build().then(() => console.log('built'), error => console.error(error.message)), 150);
  });
}

const manifest = await build();
console.log(`built ${Object.keys(manifest).length} files`);
if (watch) await watchSources();
