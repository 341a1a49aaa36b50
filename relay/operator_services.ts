/** The two ports of operators as services. Their code is loaded only where they are used. */

import type { AdminApi, AdminEvent } from './operations/admin/api.js';
import type { AdminTarget } from './operations/admin/routes.js';
import type { OperationsOptions, OperationsSource } from './operations/operations.js';
import type { OperatorPort } from './operations/operator_port.js';
import type { ServiceCounts } from './operations/service_counts.js';
import type { AdminOptions } from './options.js';
import type { Service } from './service_list.js';

/** Probes and metrics. */
export class OperationsService implements Service {
  readonly #options: OperationsOptions;
  readonly #source: OperationsSource;
  #port: OperatorPort | null = null;

  constructor(options: OperationsOptions, source: OperationsSource) {
    this.#options = options;
    this.#source = source;
  }

  /** Null before it has started. */
  get url(): string | null {
    return this.#port?.url ?? null;
  }

  async start(): Promise<void> {
    const { startOperations } = await import('./operations/operations.js');
    this.#port = await startOperations(this.#options, this.#source);
  }

  async close(): Promise<void> {
    await this.#port?.close();
  }

  counts(): Partial<ServiceCounts> {
    return this.#port ? { closedConnections: { operations: this.#port.closedConnections() } } : {};
  }
}

/** The admin API. */
export class AdminService implements Service {
  readonly #options: AdminOptions;
  readonly #target: AdminTarget;
  readonly #onEvent: (event: AdminEvent) => void;
  #api: AdminApi | null = null;

  constructor(options: AdminOptions, target: AdminTarget, onEvent: (event: AdminEvent) => void) {
    this.#options = options;
    this.#target = target;
    this.#onEvent = onEvent;
  }

  /** Null before it has started. */
  get url(): string | null {
    return this.#api?.url ?? null;
  }

  async start(): Promise<void> {
    const { startAdminApi } = await import('./operations/admin/api.js');
    this.#api = await startAdminApi({ ...this.#options, onEvent: this.#onEvent }, this.#target);
  }

  async close(): Promise<void> {
    await this.#api?.close();
  }

  counts(): Partial<ServiceCounts> {
    const api = this.#api;
    return api ? { admin: api.counts(), closedConnections: { admin: api.closedConnections() } } : {};
  }

  reload(): void {
    this.#api?.reload();
  }

  drain(): void {
    this.#api?.drain();
  }
}
