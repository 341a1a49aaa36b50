/** Voice frames that must go to nobody. Each is sent before a good one, which is the first that a witness in the lobby may hear. */

import type { DropReason } from '../../relay/core/voice/drop_reason.js';
import { writeU16, writeU32 } from '../../voice/bytes.js';
import { crc32 } from '../../voice/crc32.js';
import { MAX_VOICE_FRAME_BYTES, WIRE_HEADER_BYTES, writeVoiceFrame } from '../../voice/wire.js';
import { fields, packetBy } from '../relay/kit.js';
import { type Attack, CUT, dropped, ended, failed, NO_EFFECT, refused, times } from './attack.js';
import type { Joining, Member } from './field.js';
import { frameBytes, Opcode } from './wire.js';

/** A packet of these ops, with a right CRC. */
export function packetWith(steamId: string, ops: readonly number[]): Uint8Array {
  const packet = new Uint8Array(8 + ops.length + 4);
  packet.set(packetBy(BigInt(steamId)).subarray(0, 8));
  packet.set(ops, 8);
  writeU32(packet, 8 + ops.length, crc32(packet, 0, 8 + ops.length));
  return packet;
}

export function frameBy(steamId: string, changed: Parameters<typeof fields>[0] = {}): Uint8Array {
  return writeVoiceFrame(fields(changed), packetBy(BigInt(steamId), changed?.sequence ?? 0));
}

/** A frame of 8208 bytes: Opus frames of 1275 bytes, the longest that there are, and what is left. */
export function largestFrame(steamId: string): Uint8Array {
  const sizes = [...times(6, 1275), 8192 - 12 - 6 * 1282 - 7];
  const ops = sizes.flatMap((size) => [
    ...[0x06, (size + 4) & 0xff, (size + 4) >> 8, size & 0xff, size >> 8, 0, 0],
    ...times(size, 0x48),
  ]);
  return writeVoiceFrame(fields(), packetWith(steamId, ops));
}

/** The one good frame that comes through, by its sequence. */
const GOOD = 4242;

/** Whether the witness hears the good frame of the attacker next, and nothing before it. */
export async function hearsGood(attacker: Member, witness: Member): Promise<void> {
  const good = frameBy(attacker.steamId, { sequence: GOOD });
  attacker.wire.sendBytes(good);
  const heard = await witness.wire.next('binary');
  const isGood =
    heard?.bytes.readUInt16LE(2) === GOOD &&
    heard.bytes.readUInt16LE(8) === attacker.slot &&
    heard.bytes.subarray(WIRE_HEADER_BYTES).equals(good.subarray(WIRE_HEADER_BYTES));
  if (!isGood) throw new Error(`the witness heard ${heard?.bytes.toString('hex')}`);
}

function drops(name: string, reason: DropReason, frames: (steamId: string) => readonly Uint8Array[]): Attack {
  return {
    name,
    answers: [dropped(reason)],
    run: async (field) => {
      const { attacker, witness } = await field.pair();
      const hostile = frames(attacker.steamId);
      for (const frame of hostile) attacker.wire.sendBytes(frame);
      await hearsGood(attacker, witness);
      return times(hostile.length, dropped(reason));
    },
  };
}

/** The same with one packet of these ops. */
const packet = (name: string, reason: DropReason, ...ops: readonly (readonly number[])[]): Attack =>
  drops(name, reason, (steamId) => ops.map((each) => writeVoiceFrame(fields(), packetWith(steamId, each))));

function changed(frame: Uint8Array, at: number, value: number): Uint8Array {
  const copy = frame.slice();
  copy[at] = value;
  return copy;
}

/** Nothing of theirs is heard, whatever they send. */
function unheard(name: string, reason: DropReason, joining: Joining): Attack {
  return {
    name,
    answers: [dropped(reason)],
    run: async (field) => {
      const { attacker, witness } = await field.pair(joining);
      const other = await field.join({ lobby: attacker.lobby });
      for (let sequence = 0; sequence < 5; sequence += 1)
        attacker.wire.sendBytes(frameBy(attacker.steamId, { sequence }));
      await attacker.wire.fence();
      await hearsGood(other, witness);
      return times(5, dropped(reason));
    },
  };
}

/** Sends frames in one piece, and holds what passes to its bucket: the burst, and what the time that it took adds. */
function floods(
  name: string,
  reason: DropReason,
  count: number,
  bucket: { readonly burst: number; readonly perSecond: number },
  frame: (steamId: string) => Uint8Array,
): Attack {
  return {
    name,
    answers: [dropped(reason)],
    run: async (field) => {
      const { attacker } = await field.pair();
      const each = frame(attacker.steamId);
      const lost = `hotmic_voice_frames_dropped_total{reason="${reason}"}`;
      const before = (await field.scrape()).samples.get(lost)!;
      const startedAt = performance.now();
      for (let sent = 0; sent < count; sent += 1) attacker.wire.sendBytes(each);
      await attacker.wire.fence();
      const seconds = (performance.now() - startedAt) / 1000;
      const drops = (await field.scrape()).samples.get(lost)! - before;
      const most = bucket.burst + bucket.perSecond * seconds + 1;
      if (count - drops > most)
        throw new Error(`${count - drops} of ${count} passed, expected at most ${most}`);
      return times(drops, dropped(reason));
    },
  };
}

/** One Opus packet of 120 ms in 3 bytes: code 3, six frames of 20 ms without bytes. */
const SOUND_BOMB = [0x0b, 0xc0, 0x5d, ...times(25, [0x06, 6, 0, 2, 0, 0, 0, 0x4b, 0x06]).flat()];

export const VOICE_ATTACKS: readonly Attack[] = [
  drops(
    'a packet with the SteamID of somebody else in the lobby, or of anybody',
    'steam-id-mismatch',
    (steamId) => [
      frameBy(String(BigInt(steamId) - 1n)),
      frameBy('76561197960265729'),
      frameBy(String(BigInt(steamId) ^ (1n << 63n))),
      frameBy('1'),
    ],
  ),
  drops('a frame without bytes, or cut short', 'frame-too-short', (steamId) => [
    new Uint8Array(0),
    new Uint8Array(1),
    frameBy(steamId).subarray(0, 30),
  ]),
  drops('a frame of another version', 'frame-version-unknown', (steamId) =>
    [0x00, 0x20, 0xf0].map((version) => changed(frameBy(steamId), 0, version)),
  ),
  drops('an opaque frame, with a packet or random bytes in it', 'opaque-refused', (steamId) => [
    changed(frameBy(steamId), 0, 0x18),
    changed(new Uint8Array(64).fill(0x5a), 0, 0x1f),
  ]),
  drops('random bytes as a frame', 'packet-bad-crc', () => [
    changed(new Uint8Array(64).fill(0x5a), 0, 0x10),
    changed(new Uint8Array(MAX_VOICE_FRAME_BYTES).fill(0xff), 0, 0x10),
  ]),
  drops('a packet with a wrong CRC', 'packet-bad-crc', (steamId) => {
    const good = frameBy(steamId);
    return [
      changed(good, good.length - 1, good.at(-1)! ^ 1),
      changed(good, WIRE_HEADER_BYTES + 12, good[WIRE_HEADER_BYTES + 12]! ^ 1),
      good.subarray(0, good.length - 1),
    ];
  }),
  packet(
    'an op that announces more bytes than follow',
    'packet-op-truncated',
    [0x0b, 0xc0, 0x5d, 0x00, 0x01],
    [0x06, 0xff, 0xff, 1, 2],
  ),
  packet('an unknown op', 'packet-op-unknown', [0x0c, 0, 0], [0xff, 0xff, 0xff], [0x0b, 0xc0, 0x5d, 0x7f]),
  packet(
    'an op that old clients decode differently',
    'packet-op-foreign',
    [0x01, 0, 0],
    [0x03, 0, 0],
    [0x04, 1, 0, 0],
    [0x05, 0, 0],
    [0x0a, 0, 0],
  ),
  packet(
    'a sample rate of 0, or a plausible but unsupported one',
    'packet-rate-unknown',
    [0x0b, 0, 0],
    [0x0b, 0x39, 0x30],
    [0x0b, 0xff, 0xff],
  ),
  packet(
    'an Opus frame that is longer than its payload',
    'packet-frame-truncated',
    [0x06, 5, 0, 9, 0, 0, 0, 1],
    [0x06, 1, 0, 9],
    [0x06, 4, 0, 0xfe, 0xff, 0, 0],
  ),
  packet(
    'Opus that breaks RFC 6716: no frames, odd halves, lengths beyond the end, endless padding',
    'packet-frame-framing',
    [0x06, 6, 0, 2, 0, 0, 0, 0x4b, 0x00],
    [0x06, 6, 0, 2, 0, 0, 0, 0x49, 0x00],
    [0x06, 6, 0, 2, 0, 0, 0, 0x4a, 0xff],
    [0x06, 8, 0, 4, 0, 0, 0, 0x4b, 0x41, 0xff, 0xff],
  ),
  packet('an Opus frame without bytes', 'packet-frame-empty', [0x06, 4, 0, 0, 0, 0, 0]),
  drops('the channel of others, an unassigned target, a whisper to nobody', 'target-unknown', (steamId) =>
    [1, 127, 128, 254, 255].map((target) => frameBy(steamId, { target })),
  ),
  {
    name: 'another slot, relay sequence, relay time and flags written into the frame',
    answers: [NO_EFFECT],
    run: async (field) => {
      const { attacker, witness } = await field.pair();
      const frame = frameBy(attacker.steamId);
      frame[0] = frame[0]! | 0x04;
      writeU16(frame, 8, witness.slot);
      writeU16(frame, 10, 4242);
      writeU32(frame, 12, 0xffff_ffff);
      attacker.wire.sendBytes(frame);
      const heard = (await witness.wire.next('binary'))!.bytes;
      const forged =
        heard.readUInt16LE(8) !== attacker.slot ||
        heard.readUInt16LE(10) !== 0 ||
        heard.readUInt32LE(12) === 0xffff_ffff ||
        (heard[0]! & 0x04) !== 0;
      if (forged) throw new Error(`forged: ${heard.toString('hex')}`);
      return [NO_EFFECT];
    },
  },
  unheard('speaking with a token that only allows listening', 'not-allowed', { grant: { maySpeak: false } }),
  {
    name: 'speaking when muted: at once, renamed, in a channel, whispering, resumed, joined again',
    answers: [dropped('muted')],
    run: async (field) => {
      const lobby = field.lobby();
      const moderator = await field.join({ lobby, grant: { moderator: true } });
      const account = field.account();
      const grant = { channels: ['red'] };
      const muted = await field.join({ lobby, account, grant });
      let sent = 0;
      const speak = async ({ wire }: Member, target = 0) => {
        wire.sendBytes(frameBy(muted.steamId, { target, sequence: sent }));
        await wire.fence();
        sent += 1;
      };
      moderator.wire.send({ type: 'moderate', steamId: muted.steamId, action: 'mute' });
      await moderator.wire.fence();
      await speak(muted);
      muted.wire.send({ type: 'rename', name: 'somebody else' });
      await speak(muted);
      muted.wire.send({ type: 'channels', channels: ['red'] });
      await speak(muted, 1);
      muted.wire.send({ type: 'whisper', slots: [moderator.slot] });
      await speak(muted, 255);
      muted.wire.drop();
      const resumed = await field.socket();
      resumed.send({ type: 'resume', versions: [1], secret: muted.resumeSecret });
      field.secret((await resumed.message('welcome')).resume.secret);
      await speak({ ...muted, wire: resumed });
      resumed.send({ type: 'leave' });
      await resumed.next('close');
      await speak(await field.join({ lobby, account, grant }));
      const other = await field.join({ lobby });
      await hearsGood(other, moderator);
      moderator.wire.send({ type: 'moderate', steamId: muted.steamId, action: 'unmute' });
      await moderator.wire.fence();
      return times(sent, dropped('muted'));
    },
  },
  {
    name: 'whispering to somebody of another lobby by their slot',
    answers: [failed('participant-unknown'), dropped('target-unknown')],
    run: async (field) => {
      const attacker = await field.join();
      const lobby = field.lobby();
      await field.join({ lobby });
      const victim = await field.join({ lobby });
      attacker.wire.send({ type: 'whisper', slots: [victim.slot] });
      const told = await attacker.wire.message('failed');
      attacker.wire.sendBytes(frameBy(attacker.steamId, { target: 255 }));
      await attacker.wire.fence();
      return [failed(told.code), dropped('target-unknown')];
    },
  },
  floods('a thousand frames at once', 'rate-frames', 1000, { burst: 200, perSecond: 100 }, (steamId) =>
    frameBy(steamId),
  ),
  floods(
    '64 of the largest frames at once',
    'rate-bytes',
    64,
    { burst: 131_072 / 8208, perSecond: 65_536 / 8208 },
    largestFrame,
  ),
  floods(
    'a sound bomb: three seconds of sound in 240 bytes, 20 times',
    'rate-sound',
    20,
    { burst: 10 / 3, perSecond: 2 / 3 },
    (steamId) => writeVoiceFrame(fields(), packetWith(steamId, SOUND_BOMB)),
  ),
  ...(
    [
      ['endless frames of 7 bytes, from somebody who may only listen', 7],
      ['empty messages without end', 0],
    ] as const
  ).map(
    ([name, bytes]): Attack => ({
      name,
      answers: [dropped('frame-too-short'), dropped('rate-frames'), refused('rate-exceeded')],
      run: async (field) => {
        const { wire } = await field.join({ grant: { maySpeak: false } });
        const reasons = ['frame-too-short', 'rate-frames'] as const;
        const counted = async () => {
          const { samples } = await field.scrape();
          return reasons.map(
            (reason) => samples.get(`hotmic_voice_frames_dropped_total{reason="${reason}"}`)!,
          );
        };
        const before = await counted();
        const flood = frameBytes({ opcode: Opcode.binary, payload: new Uint8Array(bytes) });
        for (let sent = 0; sent < 20_000; sent += 1) wire.write(flood);
        const ending = await ended(wire);
        const after = await counted();
        const drops = reasons.flatMap((reason, at) => times(after[at]! - before[at]!, dropped(reason)));
        // 4620 at once, 440 a second; the flood takes seconds at most.
        if (drops.length > 15_000) throw new Error(`${drops.length} of 20000 were read`);
        return [...drops, ending];
      },
    }),
  ),
  {
    name: 'voice before the hello',
    answers: [refused('hello-expected'), dropped('not-joined')],
    run: async (field) => {
      const wire = await field.socket();
      wire.sendBytes(frameBy('76561197960265729'));
      return [await ended(wire), dropped('not-joined')];
    },
  },
  {
    name: 'voice while the token is being judged',
    answers: [refused('hello-expected'), dropped('not-joined')],
    run: async (field) => {
      const { wire, steamId } = await field.judging();
      wire.sendBytes(frameBy(steamId));
      return [await ended(wire), dropped('not-joined')];
    },
  },
  {
    name: 'JSON in a binary message',
    answers: [dropped('packet-bad-crc'), dropped('frame-too-short')],
    run: async (field) => {
      const { attacker, witness } = await field.pair();
      // "!" and "0x10" begin with the version that a frame has.
      attacker.wire.sendBytes(
        Buffer.from(`\u0010${JSON.stringify({ type: 'leave', and: 'more, so that it is long' })}`),
      );
      attacker.wire.sendBytes(Buffer.from(JSON.stringify({ type: 'leave' })));
      await hearsGood(attacker, witness);
      return [dropped('packet-bad-crc'), dropped('frame-too-short')];
    },
  },
  {
    name: 'a voice frame in a text message',
    answers: [CUT, refused('message-malformed')],
    run: async (field) => {
      const { attacker } = await field.pair();
      attacker.wire.frame({ payload: frameBy(attacker.steamId) });
      const second = await field.join();
      second.wire.frame({ payload: Buffer.from(frameBy(second.steamId)).toString('latin1') });
      return [await ended(attacker.wire), await ended(second.wire)];
    },
  },
];
