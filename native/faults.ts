/**
 * What steps threw that must not keep the others from being done: a listener's error from the other listeners, one ticket's from
 * the closing. It surfaces when all was done.
 */

export class Faults {
  readonly #errors: unknown[] = [];

  attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#errors.push(error);
    }
  }

  /** @throws What was thrown; an AggregateError of several; nothing when nothing was. */
  rethrow(text: string): void {
    if (this.#errors.length > 1) throw new AggregateError(this.#errors, text);
    if (this.#errors.length === 1) throw this.#errors[0];
  }
}
