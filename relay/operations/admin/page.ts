/** One page of a long list, in the order of a key. The whole list is not sorted, because voice waits until the page is made. */

export interface Page<Item> {
  readonly items: readonly Item[];
  /** The `after` of the next page; null on the last page. */
  readonly next: string | null;
}

/**
 * The first `size` items after `after`, by key in the order of code units. An item that is added or removed between two requests may be
 * missing; no other item is skipped.
 */
export function pageOf<Item>(
  list: Iterable<Item>,
  keyOf: (item: Item) => string,
  size: number,
  after: string | undefined,
): Page<Item> {
  const items: { readonly key: string; readonly item: Item }[] = [];
  let isMore = false;
  for (const item of list) {
    const key = keyOf(item);
    if (after !== undefined && key <= after) continue;
    if (items.length === size) {
      isMore = true;
      if (key >= items[size - 1]!.key) continue;
      items.pop();
    }
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (items[middle]!.key < key) low = middle + 1;
      else high = middle;
    }
    items.splice(low, 0, { key, item });
  }
  return { items: items.map(({ item }) => item), next: isMore ? items.at(-1)!.key : null };
}
