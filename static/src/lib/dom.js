// Elements are built, never parsed: data from the server cannot become markup.

const PROPERTIES = new Set(['value', 'checked', 'disabled', 'hidden', 'tabIndex', 'textContent', 'selected', 'indeterminate']);

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * Make an element: `el('button', {class: 'btn', onclick: save}, icon('check'), t('save'))`.
 *
 * `class` may be a list with empty places, `data` and `style` are objects, keys that
 * start with `on` are listeners; false, null and undefined leave an attribute out.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any> | null} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) set(node, name, value);
  append(node, ...children);
  return node;
}

/** @param {HTMLElement} node @param {string} name @param {any} value */
function set(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === 'class') node.className = Array.isArray(value) ? value.filter(Boolean).join(' ') : value;
  else if (name === 'data') Object.assign(node.dataset, value);
  else if (name === 'style') styles(node, value);
  else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
  else if (PROPERTIES.has(name)) Object.assign(node, {[name]: value});
  else node.setAttribute(name, value === true ? '' : String(value));
}

/**
 * Set styles through the object model, which the content security policy allows.
 *
 * @param {HTMLElement | SVGElement} node
 * @param {Record<string, string | number | null>} values
 */
export function styles(node, values) {
  for (const [name, value] of Object.entries(values)) {
    if (value === null) node.style.removeProperty(name);
    else node.style.setProperty(name, String(value));
  }
}

/** @param {Element | DocumentFragment} node @param {...(Child | Child[])} children */
export function append(node, ...children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    node.append(typeof child === 'number' ? String(child) : child);
  }
}

/** Put these children in the place of the present ones. @param {Element} node @param {...(Child | Child[])} children */
export function fill(node, ...children) {
  node.replaceChildren();
  append(node, ...children);
}

/**
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {HTMLElement}
 */
export function find(selector, root = document) {
  const node = root.querySelector(selector);
  if (!(node instanceof HTMLElement)) throw new Error(`no element ${selector}`);
  return node;
}

/** The data a page was rendered with (`<script type="application/json" id="page-data">`). @returns {any} */
export function pageData() {
  const node = document.getElementById('page-data');
  return node?.textContent ? JSON.parse(node.textContent) : {};
}

let counter = 0;

/** An id no other element of the page has. @param {string} [prefix] */
export const uid = (prefix = 'id') => `${prefix}-${(counter += 1)}`;
