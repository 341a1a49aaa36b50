/**
 * What an attack is: a name, the answer that the documents give it, and how it is done. The table of docs/security.md is made from
 * names and answers, and what is counted follows from the answers, too.
 */

import type { DropReason } from '../../relay/core/voice/drop_reason.js';
import { CloseCode, type FailureCode, type RefusalCode } from '../../voice/control_codes.js';

import type { Field } from './field.js';
import type { Ending, HttpAnswer, Wire } from './wire.js';

/** What the relay does to an attack, as docs/protocol.md has it. */
export type Answer =
  /** The door of the voice port: counted, and no WebSocket. `reason` is the one in the body; the documents do not say which comes first. */
  | { readonly kind: 'not-admitted'; readonly status: 403 | 429; readonly reason?: string }
  /** Some other answer in HTTP; on the admin port with the code of its problem. */
  | { readonly kind: 'http'; readonly status: number; readonly problem?: string }
  /** `refused` and the close code that belongs to it. `reason` is the one in the message, where the documents name one. */
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly reason?: string }
  /** The frame goes to nobody, the connection stays. */
  | { readonly kind: 'dropped'; readonly reason: DropReason }
  /** Told so, the connection stays. */
  | { readonly kind: 'failed'; readonly code: FailureCode }
  /** A TCP connection that ends before it is listened to: counted as not admitted. */
  | { readonly kind: 'turned-away' }
  /** It is not a proper request: which of these the answer is depends on the socket layer, and on its version. */
  | { readonly kind: 'malformed-request' }
  /** The connection ends without a word. */
  | { readonly kind: 'cut' }
  /** A listener that does not read is cut, because a control message does not fit. */
  | { readonly kind: 'listener-cut' }
  /** A listener that does not read gets no voice until it does. */
  | { readonly kind: 'passed-over' }
  /** It is what anybody may do, or means nothing: nothing is refused, and nothing happens. */
  | { readonly kind: 'no-effect' };

export interface Attack {
  /** Unique. Completes "Somebody tries …". */
  readonly name: string;
  /** What the documents say; of several, each is to be seen. */
  readonly answers: readonly Answer[];
  /** The same where the sockets are those of ws, if that answers otherwise. */
  readonly onWs?: readonly Answer[];
  /** Does it. Returns what each of its tries got. @throws when anything else is not as it should be. */
  readonly run: (field: Field) => Promise<readonly Answer[]>;
}

export interface Chapter {
  readonly title: string;
  /** `beside`: they take the relay's own times, and run beside the others. `last`: loads, one after the other, at the end. */
  readonly when: 'in-turn' | 'beside' | 'last';
  /** Against a relay with TLS, or without. */
  readonly port: 'plain' | 'tls';
  readonly attacks: readonly Attack[];
}

export const refused = (code: RefusalCode, reason?: string): Answer =>
  reason === undefined ? { kind: 'refused', code } : { kind: 'refused', code, reason };
export const dropped = (reason: DropReason): Answer => ({ kind: 'dropped', reason });
export const failed = (code: FailureCode): Answer => ({ kind: 'failed', code });
export const http = (status: number): Answer => ({ kind: 'http', status });
export const notAdmitted = (status: 403 | 429): Answer => ({ kind: 'not-admitted', status });
export const CUT: Answer = { kind: 'cut' };
export const MALFORMED_REQUEST: Answer = { kind: 'malformed-request' };
const BY_LAYER = [400, 404, 431, 505];

/** One of those that a socket layer gives to what is not a proper request; any other answer as it is. */
export function malformedRequest(answer: Answer): Answer {
  const isOne = answer.kind === 'cut' || (answer.kind === 'http' && BY_LAYER.includes(answer.status));
  return isOne ? MALFORMED_REQUEST : answer;
}
export const NO_EFFECT: Answer = { kind: 'no-effect' };

/** As it stands in the table. */
export function answerText(answer: Answer): string {
  switch (answer.kind) {
    case 'not-admitted':
      return `HTTP ${answer.status}`;
    case 'http':
      return `HTTP ${answer.status}${answer.problem === undefined ? '' : `, \`${answer.problem}\``}`;
    case 'refused': {
      const reason = answer.reason === undefined ? '' : ` (${answer.reason})`;
      return `refused: \`${answer.code}\`${reason}, ${CloseCode[answer.code]}`;
    }
    case 'dropped':
      return `dropped: \`${answer.reason}\``;
    case 'failed':
      return `failed: \`${answer.code}\``;
    case 'turned-away':
      return 'cut at once';
    case 'malformed-request':
      return 'HTTP 400, 404, 431 or 505, or cut, by the socket layer and its version';
    case 'cut':
      return 'cut';
    case 'listener-cut':
      return 'cut (1006)';
    case 'passed-over':
      return 'voice passes it over';
    case 'no-effect':
      return 'no effect';
  }
}

/** The samples of /metrics that go up by one for each such answer. */
export function samplesOf(answer: Answer): readonly string[] {
  switch (answer.kind) {
    case 'not-admitted':
      return [
        'hotmic_not_admitted_total',
        ...(answer.status === 429 ? [`hotmic_address_refusals_total{reason="${answer.reason}"}`] : []),
      ];
    case 'refused':
      return [
        `hotmic_refusals_total{code="${answer.code}"}`,
        ...(answer.reason === 'address-busy' ? ['hotmic_address_refusals_total{reason="address-busy"}'] : []),
      ];
    case 'turned-away':
      return ['hotmic_not_admitted_total'];
    case 'dropped':
      return [`hotmic_voice_frames_dropped_total{reason="${answer.reason}"}`];
    case 'failed':
      return [`hotmic_failures_total{code="${answer.code}"}`];
    case 'listener-cut':
      return ['hotmic_listeners_cut_total'];
    default:
      return [];
  }
}

/** What an ending was, as an answer. @throws when it contradicts itself. */
export function endingOf({ code, reason, refused: told }: Ending): Answer {
  if (!told) {
    if (code === null) return CUT;
    throw new Error(`closed with ${code} ${reason}, and nobody said why`);
  }
  const refusal = told.code as RefusalCode;
  if (code !== CloseCode[refusal] || reason !== refusal) {
    throw new Error(`refused ${refusal}, closed with ${code} ${reason}`);
  }
  const [, why] = /is refused \(([\w-]+)\)/.exec(told.message) ?? [];
  return refused(refusal, why);
}

/** The same for an answer of the voice port. */
export function httpOf(answer: HttpAnswer | null): Answer {
  if (!answer) return CUT;
  const { status, body } = answer;
  const [, reason = 'none'] = /\(([\w-]+)\)/.exec(body) ?? [];
  if (status === 403 || status === 429) return { kind: 'not-admitted', status, reason };
  return http(status);
}

/** How the connection ended. */
export async function ended(wire: Wire): Promise<Answer> {
  return endingOf(await wire.ended());
}

export function times<T>(count: number, value: T): T[] {
  return new Array<T>(count).fill(value);
}
