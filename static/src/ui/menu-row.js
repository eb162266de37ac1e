// The menu of a desk lies in one scrolling row on a phone: the present page is brought into view.

/** @param {HTMLElement | null} menu */
export function showPresent(menu) {
  const here = menu?.querySelector('[aria-current]');
  if (!menu || !here || menu.scrollWidth <= menu.clientWidth) return;
  const [row, item] = [menu.getBoundingClientRect(), here.getBoundingClientRect()];
  menu.scrollLeft += item.left + item.width / 2 - row.left - row.width / 2;
}
