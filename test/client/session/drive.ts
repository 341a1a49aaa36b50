/** A session of Ada in the lobby den, without a lobby around it: the test plays the relay, the application and the clock. */

import { Session } from '../../../client/session/session.js';
import type { SessionInput, SessionOutput, SessionSettings } from '../../../client/session/session_io.js';
import type { ShownCredential } from '../../../client/session/shown_credential.js';
import type { VoiceTarget } from '../../../client/session/voice_target.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { SILENCE_PACKET } from '../../kit/golden_packets.js';

/** An input that may leave out the number of its attempt: then it belongs to the newest one. */
type Loose = SessionInput extends infer Input
  ? Input extends { attempt: number }
    ? Omit<Input, 'attempt'> & { attempt?: number }
    : Input
  : never;

/** The inputs that belong to an attempt. */
const OF_ATTEMPTS: readonly SessionInput['kind'][] = [
  'credential',
  'no-credential',
  'connected',
  'opened',
  'app-ticket',
  'text',
  'voice',
  'closed',
];

export type Drive = ReturnType<typeof drive>;

/** @param settings Other values than the usual ones; `steamId: null` leaves it to the relay. */
export function drive(settings: Partial<Omit<SessionSettings, 'steamId'>> & { steamId?: null } = {}) {
  const { steamId, ...others } = settings;
  const session = new Session({
    lobby: 'den',
    ...(steamId === null ? {} : { steamId: personSteamId(7) }),
    name: 'Ada',
    url: new URL('ws://relay'),
    random: () => 0,
    ...others,
  });
  let now = 0;
  let attempt = 0;
  const handle = (input: Loose, waitingBytes = 0): readonly SessionOutput[] => {
    const given = OF_ATTEMPTS.includes(input.kind) ? { attempt, ...input } : input;
    const outputs = session.handle(given as SessionInput, now, waitingBytes);
    for (const output of outputs) {
      const isBeside = output.kind === 'abandon' || (output.kind === 'open' && output.beside);
      if ('attempt' in output && !isBeside) attempt = output.attempt;
    }
    return outputs;
  };
  /** Lets time pass until the deadline. */
  const wait = (): readonly SessionOutput[] => {
    const deadline = session.deadline();
    if (deadline === null) throw new Error('there is no deadline');
    now = Math.max(now, deadline);
    return handle({ kind: 'time' });
  };
  return {
    session,
    handle,
    wait,
    /** Lets time pass. */
    sleep: (ms: number) => {
      now += ms;
    },
    now: () => now,
    /** Opens the first connection, or the next. Returns what the session sends. */
    open: (credential: ShownCredential = { kind: 'none' }): readonly SessionOutput[] => {
      const [first] = session.state === 'joining' ? handle({ kind: 'join' }) : wait();
      if (first?.kind === 'ask-credential') handle({ kind: 'credential', credential });
      return handle({ kind: 'opened' });
    },
    /** Whether the session would send something to this channel, to the lobby or as a whisper now. */
    reaches: (target: VoiceTarget): number | null => {
      const numbered = { sequence: 0, timestamp: 0, marker: true, terminator: false, capturedAt: now };
      const [output] = handle({ kind: 'publish', packet: { ...numbered, packet: SILENCE_PACKET }, target });
      return output?.kind === 'send' && typeof output.data !== 'string' ? (output.data[1] ?? null) : null;
    },
  };
}
