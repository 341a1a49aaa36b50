/** How far a listener has read, as the model knows it, and when the relay may park them and when it must. */

/** Of a relay with the default budget. */
const STALE_AFTER_MS = 150;
const SETTLED_MS = 10;
/** The relay looks at its lobbies at multiples of this. */
const LOOK_MS = 25;
const UNKNOWN_DELAY_MS = 250;
const MOST_DELAY_MS = 1000;

export class ModelReading {
  isParked = false;
  #readUntil: number;
  /** The flagged frames that were sent to them. */
  #sent: number[] = [];
  readonly #acknowledgements: { readonly at: number; readonly delay: number }[] = [];

  constructor(now: number) {
    this.#readUntil = now;
  }

  /** A flagged frame was sent to them. */
  sent(now: number): void {
    if (this.wouldOwe(now)) this.#sent.push(now);
  }

  /** Whether they would owe an acknowledgement for a flagged frame that is sent now. */
  wouldOwe(now: number): boolean {
    return now > this.#readUntil + SETTLED_MS;
  }

  /** Whether they have not acknowledged something. */
  get owes(): boolean {
    return this.#sent.length > 0;
  }

  acknowledge(until: number, now: number): void {
    this.#acknowledgements.push({ at: now, delay: now - until });
    this.#readUntil = Math.max(this.#readUntil, until);
    this.#sent = this.#sent.filter((at) => at > this.#readUntil + SETTLED_MS);
  }

  unpark(now: number): void {
    this.isParked = false;
    this.#readUntil = now;
    this.#sent = [];
  }

  /** Whether the relay may park them with a tick now. The delay is the least of the last 10 to 20 s: which, only the relay knows. */
  mayPark(now: number): boolean {
    const delays = this.#acknowledgements.map(({ delay }) => delay);
    return this.#isDue(now, Math.min(...(delays.length > 0 ? delays : [UNKNOWN_DELAY_MS])));
  }

  /** Whether it must have by now. */
  mustPark(now: number): boolean {
    const delays = this.#acknowledgements.filter(({ at }) => now - at < 10_000).map(({ delay }) => delay);
    const delay = this.#acknowledgements.length === 0 ? UNKNOWN_DELAY_MS : Math.min(MOST_DELAY_MS, ...delays);
    return this.#isDue(now - LOOK_MS, delay);
  }

  #isDue(now: number, delay: number): boolean {
    const [oldest] = this.#sent;
    return oldest !== undefined && oldest + STALE_AFTER_MS + Math.min(MOST_DELAY_MS, delay) < now;
  }
}
