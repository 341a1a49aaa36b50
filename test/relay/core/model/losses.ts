/**
 * What a client knows of the frames that were lost on their way to it, from what arrived and from its messages alone, beside what was
 * really lost. Every difference is a fault. Written a second time: the client's own count is in client/session/missed_frames.ts.
 */

import type { RelayMessageToWrite } from '../../../../voice/control.js';

type Key = `${number} ${number}`;

export class Losses {
  readonly #fault: (text: string) => void;
  /** The relay sequence to come of each stream; those that are left out begin with 0. */
  readonly #next = new Map<Key, number>();
  /** Frames that were lost and that no later frame or message has shown yet. */
  readonly #unseen = new Map<Key, number>();

  constructor(fault: (text: string) => void) {
    this.#fault = fault;
  }

  lost(slot: number, target: number): void {
    const key: Key = `${slot} ${target}`;
    this.#unseen.set(key, (this.#unseen.get(key) ?? 0) + 1);
  }

  arrived(slot: number, target: number, sequence: number): void {
    this.#see([slot, target, sequence], 'a frame');
    this.#next.set(`${slot} ${target}`, (sequence + 1) & 0xffff);
  }

  hear(message: RelayMessageToWrite): void {
    if (message.type === 'welcome') {
      this.#next.clear();
      this.#unseen.clear();
    } else if (message.type === 'left') {
      for (const key of [...this.#next.keys(), ...this.#unseen.keys()]) {
        if (!key.startsWith(`${message.slot} `)) continue;
        this.#next.delete(key);
        this.#unseen.delete(key);
      }
    } else if (message.type === 'hears') {
      for (const mark of message.until ?? []) {
        this.#see(mark, 'the end');
        this.#next.delete(`${mark[0]} ${mark[1]}`);
      }
      for (const [slot, target, sequence] of message.next ?? []) {
        if (this.#unseen.has(`${slot} ${target}`))
          this.#fault(`the beginning of ${slot} ${target} hides a loss`);
        this.#next.set(`${slot} ${target}`, sequence);
      }
    }
  }

  /** Streams with losses that nothing has shown yet. */
  readonly unseen = (): readonly (readonly [slot: number, target: number])[] =>
    [...this.#unseen.keys()].map((key) => key.split(' ').map(Number) as [number, number]);

  #see([slot, target, sequence]: readonly [number, number, number], what: string): void {
    const key: Key = `${slot} ${target}`;
    const gap = (sequence - (this.#next.get(key) ?? 0)) & 0xffff;
    const lost = this.#unseen.get(key) ?? 0;
    if (gap !== lost) this.#fault(`${what} of ${key} shows ${gap} lost frames, expected ${lost}`);
    this.#unseen.delete(key);
  }
}
