/** Why the relay does not do what it was asked: a code of a closed set, and a sentence for people. Plain data. */

import type { FailureCode, RefusalCode } from '../../voice/control_codes.js';

/** Why a connection is refused; it is closed with it. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly detail: string;
}

/** Why a request was not carried out; the connection stays. */
export interface Failure {
  readonly code: FailureCode;
  readonly detail: string;
}
