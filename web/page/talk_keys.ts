/**
 * When the talk key is down: Space, or the button under a finger or a mouse, whichever. A key is up for certain when the window loses its focus,
 * the page is hidden, or the pointer is lost: nobody stays live by accident. Pure.
 */

/** Where a key may be held. */
export type Holder = 'key' | 'pointer';

export class TalkKeys {
  readonly #held = new Set<Holder>();
  readonly #onChange: (isDown: boolean) => void;

  constructor(onChange: (isDown: boolean) => void) {
    this.#onChange = onChange;
  }

  get isDown(): boolean {
    return this.#held.size > 0;
  }

  hold(holder: Holder): void {
    const before = this.isDown;
    this.#held.add(holder);
    if (!before) this.#onChange(true);
  }

  letGo(holder: Holder): void {
    if (this.#held.delete(holder) && !this.isDown) this.#onChange(false);
  }

  letGoOfAll(): void {
    if (!this.isDown) return;
    this.#held.clear();
    this.#onChange(false);
  }
}

/** Whether Space belongs to this element, and not to talking: it types a space, or presses a button. */
export function takesSpace(
  element: { readonly tagName: string; readonly isContentEditable?: boolean } | null,
): boolean {
  if (!element) return false;
  return (
    ['INPUT', 'TEXTAREA', 'SELECT', 'BUTTON', 'SUMMARY', 'A'].includes(element.tagName) ||
    element.isContentEditable === true
  );
}
