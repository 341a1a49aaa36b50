/** Voice frames to sound: order, loss, and the bound on speakers. */

import t from 'tap';
import { type DecodedVoice, Receiver, type ReceiverOptions } from '../../client/receiver.js';
import { personSteamId } from '../../voice/steam_id.js';
import { TalkspurtNumberer } from '../../voice/talkspurt.js';
import { FRAME_SAMPLES } from '../../voice/units.js';
import type { VoiceHeader } from '../../voice/wire.js';
import { VoiceEncoder } from '../../wasm/compress.js';
import { loadCodec } from '../../wasm/load.js';
import { codecLiveBytes } from '../../wasm/module.js';
import { END_OF_RECORDING_PACKET, SILENCE_PACKET } from '../kit/golden_packets.js';
import { frameOf, opusOp, packetOfOps, RATE_24K } from '../kit/raw_packet.js';
import { loudSeconds, tonePcm } from '../kit/tone.js';

loadCodec();

/** `count` packets of one 20 ms frame each, from one recording of this account. */
function recording(count: number, account = 1): Uint8Array[] {
  const encoder = new VoiceEncoder(personSteamId(account));
  const pcm = tonePcm(count / 50);
  const packets = Array.from({ length: count }, (_, at) => {
    encoder.write(pcm.subarray(at * FRAME_SAMPLES, (at + 1) * FRAME_SAMPLES));
    const packet = new Uint8Array(encoder.available());
    encoder.read(packet);
    return packet;
  });
  encoder.free();
  return packets;
}

function header(sequence: number, changed: Partial<VoiceHeader> = {}): VoiceHeader {
  return {
    kind: 'header',
    marker: false,
    terminator: false,
    target: 0,
    sequence,
    timestamp: sequence * FRAME_SAMPLES,
    slot: 1,
    relaySequence: 0,
    relayTimeMs: 5000,
    acknowledge: false,
    opaque: false,
    ...changed,
  };
}

/** A receiver and its output, with the PCM copied. */
function receiver(options: Partial<ReceiverOptions> = {}): { receiver: Receiver; heard: DecodedVoice[] } {
  const heard: DecodedVoice[] = [];
  const made = new Receiver({
    onDecoded: (voice) => heard.push({ ...voice, pcm: voice.pcm.slice() }),
    ...options,
  });
  return { receiver: made, heard };
}

t.test('frames in order become sound, with the fields of their headers', async (t) => {
  const { receiver: ear, heard } = receiver();
  const packets = recording(50);
  for (const [at, packet] of packets.entries())
    ear.take(header(at, { marker: at === 0, terminator: at === 49, relayTimeMs: 5000 + 20 * at }), packet);
  t.equal(heard.length, 50);
  t.match(heard[0], { slot: 1, marker: true, terminator: false, timestamp: 0, relayTimeMs: 5000 });
  t.match(heard[49], { marker: false, terminator: true, sequence: 49, timestamp: 49 * FRAME_SAMPLES });
  t.ok(heard.every(({ pcm, concealedFrames }) => pcm.length === FRAME_SAMPLES && concealedFrames === 0));
  t.ok(heard.slice(5).every(({ pcm }) => loudSeconds(pcm) > 0));
  t.same(ear.counts(1), {
    packets: 50,
    decodedFrames: 50,
    concealedFrames: 0,
    lost: 0,
    late: 0,
    refused: 0,
    samples: 50 * FRAME_SAMPLES,
  });
  ear.close();
});

t.test('a duplicate and a late frame are counted and not decoded', async (t) => {
  const { receiver: ear, heard } = receiver();
  const packets = recording(4);
  for (const sequence of [0, 1, 1, 0, 3, 2]) ear.take(header(sequence), packets[sequence]!);
  t.same(
    heard.map(({ sequence }) => sequence),
    [0, 1, 3],
  );
  t.match(ear.counts(1), { packets: 6, late: 3, lost: 1, decodedFrames: 3 });
  ear.close();
});

t.test('the sequence wraps without a loss', async (t) => {
  const { receiver: ear, heard } = receiver();
  const packets = recording(4);
  for (const [at, packet] of packets.entries()) ear.take(header((65_534 + at) & 0xffff), packet);
  t.equal(heard.length, 4);
  t.match(ear.counts(1), { lost: 0, late: 0, concealedFrames: 0 });
  ear.close();
});

t.test('a gap is counted as lost, and concealed from its beginning', async (t) => {
  const { receiver: ear, heard } = receiver();
  const packets = recording(12);
  for (const sequence of [0, 1, 2, 3, 4, 5, 6, 10, 11]) ear.take(header(sequence), packets[sequence]!);
  t.match(ear.counts(1), { packets: 9, lost: 3, concealedFrames: 3, samples: 12 * FRAME_SAMPLES });
  const behindGap = heard[7]!;
  t.equal(behindGap.sequence, 10);
  t.equal(behindGap.concealedFrames, 3);
  t.equal(behindGap.pcm.length, 4 * FRAME_SAMPLES);
  t.equal(behindGap.timestamp, 7 * FRAME_SAMPLES, 'the timestamp of the first sample, a concealed one');
  t.ok(loudSeconds(behindGap.pcm.subarray(0, FRAME_SAMPLES)) > 0, 'concealed sound counts as sound');
  t.equal(heard[8]!.timestamp, 11 * FRAME_SAMPLES);
  ear.close();
});

t.test(
  'only sound concealed before a packet moves its timestamp back, not sound concealed inside it',
  async (t) => {
    const { receiver: ear, heard } = receiver();
    const frames = (...sequences: number[]) =>
      packetOfOps(RATE_24K + opusOp(sequences.map((sequence) => frameOf(sequence, '68')).join('')));
    ear.take(header(0), frames(0));
    ear.take(header(1, { timestamp: 2 * FRAME_SAMPLES }), frames(2, 6));
    t.equal(heard[1]?.concealedFrames, 1 + 3);
    t.equal(heard[1]?.pcm.length, (1 + 1 + 3 + 1) * FRAME_SAMPLES);
    t.equal(heard[1]?.timestamp, FRAME_SAMPLES);
    ear.close();
  },
);

t.test('concealed sound before a timestamp of 0 wraps backwards', async (t) => {
  const { receiver: ear, heard } = receiver();
  const packets = recording(3);
  ear.take(header(0, { timestamp: 2 ** 32 - 2 * FRAME_SAMPLES }), packets[0]!);
  ear.take(header(2, { timestamp: 0 }), packets[2]!);
  t.equal(heard[1]?.timestamp, 2 ** 32 - FRAME_SAMPLES);
  ear.close();
});

t.test('beyond the limit, the speaker who was silent for longest is replaced first', async (t) => {
  const { receiver: ear } = receiver({ maxSpeakers: 2 });
  const [packet] = recording(1);
  ear.take(header(0, { slot: 1 }), packet!);
  ear.take(header(0, { slot: 2 }), packet!);
  ear.take(header(1, { slot: 1 }), packet!);
  ear.take(header(0, { slot: 3 }), packet!);
  t.equal(ear.counts(2), null, 'two was silent for longest');
  t.ok(ear.counts(1));
  t.ok(ear.counts(3));
  ear.close();
});

t.test('after a thousand speakers came and went, the codec has memory for more', async (t) => {
  const { receiver: ear, heard } = receiver({ maxSpeakers: 4 });
  const [packet] = recording(1);
  for (let slot = 0; slot < 1000; slot += 1) ear.take(header(0, { slot }), packet!);
  t.equal(heard.length, 1000);
  ear.close();
});

t.test('a bound out of range is refused at once', async (t) => {
  for (const maxSpeakers of [0, 1001, Number.NaN]) {
    t.throws(() => receiver({ maxSpeakers }), {
      name: 'RangeError',
      message: `Cannot receive: maxSpeakers is ${maxSpeakers}, expected 1 to 1000`,
    });
  }
});

t.test('a malformed packet is counted as refused, and the next one is heard', async (t) => {
  const { receiver: ear, heard } = receiver();
  const packets = recording(3);
  const damaged = packets[1]!.slice();
  damaged[12]! ^= 0xff;
  ear.take(header(0), packets[0]!);
  ear.take(header(1), damaged);
  ear.take(header(2), packets[2]!);
  t.match(ear.counts(1), { packets: 3, refused: 1, lost: 0, concealedFrames: 1, decodedFrames: 2 });
  t.equal(heard[1]?.timestamp, FRAME_SAMPLES, 'what it should have held is concealed');
  ear.close();
});

t.test('a forgotten speaker starts afresh', async (t) => {
  const { receiver: ear, heard } = receiver();
  const packets = recording(2);
  ear.take(header(500), packets[0]!);
  ear.forget(1);
  ear.forget(1);
  t.equal(ear.counts(1), null);
  ear.take(header(0), packets[0]!);
  t.equal(heard.length, 2, 'someone else in the slot counts from 0 again');
  t.match(ear.counts(1), { packets: 1, late: 0, lost: 0 });
  ear.close();
});

t.test('the decoder of a speaker who left is freed, and the counters stay', async (t) => {
  const { receiver: ear } = receiver({ maxSpeakers: 2 });
  const [packet] = recording(1);
  const before = codecLiveBytes();
  for (let slot = 1; slot <= 5; slot += 1) {
    ear.take(header(0, { slot }), packet!);
    t.ok(codecLiveBytes() > before);
    ear.retire(slot);
    t.equal(codecLiveBytes(), before);
    t.match(ear.counts(slot), { packets: 1, decodedFrames: 1 });
  }
  t.equal(ear.evictedSpeakers, 0);
  t.equal(ear.counts(1), null, 'the newest counts are kept, as many as there may be speakers');
  t.match(ear.counts(4), { packets: 1 });
  ear.take(header(0, { slot: 5 }), packet!);
  t.match(ear.counts(5), { packets: 1 }, 'the next speaker in that slot is counted from 0');
  ear.close();
  t.equal(codecLiveBytes(), before);
  t.match(ear.counts(5), { packets: 1 }, 'a closed receiver keeps its counters');
});

t.test('a packet without sound is reported too: it may carry the terminator', async (t) => {
  const { receiver: ear, heard } = receiver();
  ear.take(header(0), END_OF_RECORDING_PACKET);
  ear.take(header(1, { terminator: true }), SILENCE_PACKET);
  t.match(heard[1], { terminator: true });
  t.equal(heard[1]?.pcm.length, 750);
  t.ok(heard[1]?.pcm.every((sample) => sample === 0));
  ear.close();
});

t.test('the latency side channel gets when a frame arrived and when it was decoded', async (t) => {
  const notes: number[][] = [];
  let now = 100;
  const { receiver: ear } = receiver({ clock: () => now++, onStages: (...stages) => notes.push(stages) });
  const [packet] = recording(1);
  ear.take(header(7), packet!);
  ear.take(header(7), packet!);
  t.same(notes, [[1, 7, 101, 102]], 'a duplicate is not noted');
  ear.close();
});

t.test('a speaker who joins again in the same slot, with the same SteamID, is heard at once', async (t) => {
  const { receiver: ear, heard } = receiver();
  const packets = recording(12);
  for (let at = 0; at < 3; at += 1) ear.take(header(500 + at, { marker: at === 0 }), packets[at]!);
  // The Opus sequence moves forward, which alone would look like a gap of four frames.
  for (let at = 0; at < 5; at += 1) ear.take(header(at, { marker: at === 0 }), packets[7 + at]!);
  t.same(
    heard.map(({ sequence }) => sequence),
    [500, 501, 502, 0, 1, 2, 3, 4],
  );
  t.ok(heard.every(({ pcm }) => pcm.length === FRAME_SAMPLES));
  t.match(ear.counts(1), { packets: 8, decodedFrames: 8, late: 0, lost: 0, concealedFrames: 0 });
  ear.take(header(3), packets[10]!);
  t.match(ear.counts(1), { late: 1 }, 'and the count continues from there');
  ear.close();
});

t.test('a late frame without a marker is counted as late', async (t) => {
  const { receiver: ear, heard } = receiver();
  const packets = recording(4);
  ear.take(header(500, { marker: true }), packets[0]!);
  for (const sequence of [499, 0]) ear.take(header(sequence), packets[1]!);
  t.equal(heard.length, 1);
  t.match(ear.counts(1), { packets: 3, late: 2, decodedFrames: 1 });
  ear.take(header(501), packets[1]!);
  t.equal(heard.at(-1)?.sequence, 501, 'frames in order are still heard');
  t.match(ear.counts(1), { lost: 0, concealedFrames: 0 });
  ear.close();
});

t.test('a packet with another SteamID is from another speaker, even without a marker', async (t) => {
  const { receiver: ear, heard } = receiver();
  const [mine] = recording(1, 1);
  const theirs = recording(8, 2);
  ear.take(header(500), mine!);
  // The frame with the marker was lost.
  ear.take(header(0), theirs[6]!);
  t.equal(heard.length, 2);
  t.equal(heard[1]?.pcm.length, FRAME_SAMPLES, 'nothing of the previous speaker is concealed');
  t.match(ear.counts(1), { packets: 1, late: 0, lost: 0, concealedFrames: 0, decodedFrames: 1 });
  ear.close();
});

t.test('a gap before a marker is not a loss and is not concealed: they spoke to others', async (t) => {
  const { receiver: ear, heard } = receiver();
  const packets = recording(12);
  for (const sequence of [0, 1, 2])
    ear.take(header(sequence, { marker: sequence === 0 }), packets[sequence]!);
  for (const sequence of [8, 9]) ear.take(header(sequence, { marker: sequence === 8 }), packets[sequence]!);
  t.match(ear.counts(1), { packets: 5, lost: 0, concealedFrames: 0, decodedFrames: 5 });
  t.match(heard[3], { sequence: 8, timestamp: 8 * FRAME_SAMPLES, concealedFrames: 0 });
  t.equal(heard[3]?.pcm.length, FRAME_SAMPLES);
  ear.take(header(11), packets[11]!);
  t.match(ear.counts(1), { lost: 1, concealedFrames: 1 }, 'within a talkspurt a gap is a loss');
  ear.close();
});

t.test(
  'a listener who hears both talkspurts around a change of target misses nothing in between',
  async (t) => {
    const { receiver: ear, heard } = receiver();
    const packets = recording(6);
    const numberer = new TalkspurtNumberer(0);
    const said = packets.slice(0, 3).flatMap((packet, at) => numberer.push(packet, 20 * at + 20, 'talking'));
    said.push(...numberer.cut());
    said.push(...packets.slice(3).flatMap((packet, at) => numberer.push(packet, 20 * at + 80, 'talking')));
    for (const { packet, sequence, marker, terminator, timestamp } of said) {
      ear.take(header(sequence, { marker, terminator, timestamp }), packet);
    }
    t.equal(
      heard.map(({ marker, terminator }) => (marker ? 'M' : terminator ? 'T' : '-')).join(''),
      'M--TM--',
    );
    t.equal(heard[3]?.pcm.length, 0, 'the terminator of the cut makes no sound');
    t.match(ear.counts(1), { packets: 7, decodedFrames: 6, lost: 0, concealedFrames: 0, refused: 0 });
    ear.close();
  },
);

t.test('more sound than that many speakers can make is counted and not decoded', async (t) => {
  let now = 0;
  const { receiver: ear, heard } = receiver({ maxSpeakers: 1, clock: () => now });
  const silence = packetOfOps('0bc05d 00c05d');
  const seconds = (count: number) => {
    const before = heard.length;
    for (let at = 0; at < count; at++) ear.take(header(heard.length, { marker: true }), silence);
    return heard.length - before;
  };
  t.equal(seconds(100), 10, 'ten at once');
  t.equal(ear.refusedFrames, 90);
  now = 5000;
  t.equal(seconds(100), 10, 'and two a second');
  ear.close();
});

t.test('evictions of decoders are counted', async (t) => {
  const { receiver: ear } = receiver({ maxSpeakers: 2 });
  const [packet] = recording(1);
  for (let slot = 0; slot < 10; slot++) ear.take(header(0, { slot }), packet!);
  t.equal(ear.evictedSpeakers, 8);
  ear.close();
});
