/** The services that a relay runs around its core: started one after the other, and closed in the reverse order. */

import type { ServiceCounts } from './operations/service_counts.js';

/** One service, from before its start to its end. */
export interface Service {
  /** Absent for a service that runs as soon as it is made. */
  start?(): Promise<void>;
  /** Also called for a service that did not start. Never rejects. */
  close(): Promise<void>;
  /** The relay will end before long. */
  drain?(): void;
  /** Its share of the counts. */
  counts?(): Partial<ServiceCounts>;
  /** Reads its secrets again. @throws HotmicError ERR_HOTMIC_FILE; the previous secrets stay in force. */
  reload?(): void;
}

const NO_COUNTS: ServiceCounts = {
  admin: null,
  webhooks: null,
  sanctionsFile: null,
  steam: null,
  closedConnections: {},
};

export class ServiceList {
  readonly #stages: readonly (readonly Service[])[];
  #started: Promise<void> = Promise.resolve();

  /** @param stages In the order of their start. The services of one stage close at the same time, so that their time limits do not add up. */
  constructor(stages: readonly (readonly Service[])[]) {
    this.#stages = stages;
  }

  /** When one cannot start, all are closed, and its error is thrown. */
  start(): Promise<void> {
    this.#started = this.#startAll();
    return this.#started;
  }

  /** Waits for a start under way, then closes all. */
  async close(): Promise<void> {
    await this.#started.catch(() => undefined);
    await this.#closeAll();
  }

  counts(): ServiceCounts {
    let all = NO_COUNTS;
    for (const service of this.#stages.flat()) {
      const counts = service.counts?.() ?? {};
      const closedConnections = { ...all.closedConnections, ...counts.closedConnections };
      all = { ...all, ...counts, closedConnections };
    }
    return all;
  }

  drain(): void {
    for (const service of this.#stages.flat()) service.drain?.();
  }

  /** Has every service reload, also when an earlier one fails. @throws what the first failing one threw. */
  reload(): void {
    let failure: { readonly thrown: unknown } | null = null;
    for (const service of this.#stages.flat()) {
      try {
        service.reload?.();
      } catch (thrown) {
        failure ??= { thrown };
      }
    }
    if (failure) throw failure.thrown;
  }

  async #startAll(): Promise<void> {
    try {
      for (const service of this.#stages.flat()) await service.start?.();
    } catch (thrown) {
      await this.#closeAll();
      throw thrown;
    }
  }

  async #closeAll(): Promise<void> {
    for (const stage of this.#stages.toReversed()) await Promise.all(stage.map((service) => service.close()));
  }
}
