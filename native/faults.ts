/**
 * Errors of steps that must not stop the steps after them: one listener's error must not stop the other listeners, nor one ticket's
 * the closing. They are thrown when all steps are done.
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

  /** @throws The error of the steps, or an AggregateError of several. */
  rethrow(text: string): void {
    if (this.#errors.length > 1) throw new AggregateError(this.#errors, text);
    if (this.#errors.length === 1) throw this.#errors[0];
  }
}
