/**
 * The embedded Steam's duration control: playtime that runs with the clock, and a notice at each threshold.
 *
 * What the account says applies until a threshold is passed: at 1 hour a notice; at 3 hours another, and half progress; at 5 hours no
 * progress. Steam's real thresholds are not known; these follow the names of the class reference's enums.
 */

import {
  DurationControlNotification,
  DurationControlOnlineState,
  DurationControlProgress,
} from '../enums.js';
import { type DurationControl, notificationVerbal } from '../signals.js';
import type { SteamAccount } from '../steam_controls.js';
import type { Clock } from './options.js';

const HOUR_S = 3600;

/** By playtime; at three hours there are two, in this order. */
const THRESHOLDS = [
  {
    seconds: HOUR_S,
    progress: DurationControlProgress.DURATION_CONTROL_PROGRESS_FULL,
    notification: DurationControlNotification.DURATION_CONTROL_NOTIFICATION_1_HOUR,
  },
  {
    seconds: 3 * HOUR_S,
    progress: DurationControlProgress.DURATION_CONTROL_PROGRESS_HALF,
    notification: DurationControlNotification.DURATION_CONTROL_NOTIFICATION_3_HOURS,
  },
  {
    seconds: 3 * HOUR_S,
    progress: DurationControlProgress.DURATION_CONTROL_PROGRESS_HALF,
    notification: DurationControlNotification.DURATION_CONTROL_NOTIFICATION_HALF_PROGRESS,
  },
  {
    seconds: 5 * HOUR_S,
    progress: DurationControlProgress.DURATION_CONTROL_PROGRESS_NONE,
    notification: DurationControlNotification.DURATION_CONTROL_NOTIFICATION_NO_PROGRESS,
  },
] as const;

const ONLINE_STATES: readonly number[] = [
  DurationControlOnlineState.DURATION_CONTROL_ONLINE_STATE_OFFLINE,
  DurationControlOnlineState.DURATION_CONTROL_ONLINE_STATE_ONLINE,
  DurationControlOnlineState.DURATION_CONTROL_ONLINE_STATE_ONLINE_HIGH_PRIORITY,
];

export class EmbeddedDuration {
  readonly #appId: number;
  readonly #clock: Clock;
  #account: SteamAccount['duration'];
  #countedFrom: number;
  /** Index of the first of THRESHOLDS that has not been passed. */
  #next = 0;
  #onlineState: number = DurationControlOnlineState.DURATION_CONTROL_ONLINE_STATE_INVALID;

  constructor(appId: number, clock: Clock, account: SteamAccount['duration']) {
    this.#appId = appId;
    this.#clock = clock;
    this.#account = account;
    this.#countedFrom = clock();
    this.#skipPassed();
  }

  /** The state that was set last; INVALID before. */
  get onlineState(): number {
    return this.#onlineState;
  }

  /** Playtime continues from the given values; thresholds below them count as passed. */
  set(account: SteamAccount['duration']): void {
    this.#account = account;
    this.#countedFrom = this.#clock();
    this.#skipPassed();
  }

  /** False for INVALID and for unknown states. */
  setOnlineState(state: number): boolean {
    if (!ONLINE_STATES.includes(state)) return false;
    this.#onlineState = state;
    return true;
  }

  /** The answer to getDurationControl: without a notice, like every answer to a call. */
  now(): DurationControl {
    const elapsed = this.#elapsedSeconds();
    const passed = this.#passed(this.#account.seconds_last_5hrs + elapsed);
    const progress = THRESHOLDS[passed - 1]?.progress;
    const isNew = passed > this.#passed(this.#account.seconds_last_5hrs);
    return this.#at(
      elapsed,
      isNew && progress !== undefined ? progress : this.#account.progress,
      DurationControlNotification.DURATION_CONTROL_NOTIFICATION_NONE,
    );
  }

  /** The notices that are due, each as of the second of its threshold. */
  due(): DurationControl[] {
    if (!this.#account.applicable) return [];
    const due: DurationControl[] = [];
    const seconds = this.#account.seconds_last_5hrs + this.#elapsedSeconds();
    for (; this.#next < this.#passed(seconds); this.#next++) {
      const threshold = THRESHOLDS[this.#next]!;
      const elapsed = threshold.seconds - this.#account.seconds_last_5hrs;
      due.push(this.#at(elapsed, threshold.progress, threshold.notification));
    }
    return due;
  }

  #at(elapsed: number, progress: number, notification: number): DurationControl {
    const { applicable, seconds_last_5hrs, seconds_today, seconds_remaining } = this.#account;
    return {
      app_id: this.#appId,
      applicable,
      seconds_last_5hrs: seconds_last_5hrs + elapsed,
      progress,
      notification,
      notification_verbal: notificationVerbal(notification),
      seconds_today: seconds_today + elapsed,
      seconds_remaining: Math.max(0, seconds_remaining - elapsed),
    };
  }

  #elapsedSeconds(): number {
    return this.#account.applicable ? Math.floor((this.#clock() - this.#countedFrom) / 1000) : 0;
  }

  #passed(seconds: number): number {
    return THRESHOLDS.filter((threshold) => seconds >= threshold.seconds).length;
  }

  #skipPassed(): void {
    this.#next = this.#passed(this.#account.seconds_last_5hrs);
  }
}
