/** A microphone whose device changes: key, mode and mute stay, and so do the numbers of the voice. */

import t from 'tap';
import { Microphone, type MicrophoneOptions } from '../../../client/talking/microphone.js';
import { PacketQueue } from '../../../client/talking/packet_queue.js';
import { CaptureTag, endTag } from '../../../voice/capture_tag.js';
import type { NumberedPacket } from '../../../voice/talkspurt.js';
import { frameOf, opusOp, packetOfOps, RATE_24K } from '../../kit/raw_packet.js';

/** A device that the test speaks into. */
function device() {
  const ring = new PacketQueue();
  const commands: string[] = [];
  let request = 0;
  const capture = {
    ring,
    startVoiceRecording: () => {
      commands.push('start');
      request += 1;
      return request;
    },
    stopVoiceRecording: () => {
      commands.push('stop');
    },
  };
  let said = 0;
  const say = (now: number) => {
    ring.push(packetOfOps(RATE_24K + opusOp(frameOf(said, '48010203'))), now, CaptureTag.talking);
    said += 1;
  };
  const end = (now: number) => ring.push(new Uint8Array(0), now, endTag(request));
  return { capture, commands, say, end };
}

function stage(options: Partial<MicrophoneOptions> = {}) {
  const told: string[] = [];
  const published: NumberedPacket[] = [];
  let now = 1000;
  const microphone = new Microphone({
    clock: () => now,
    publish: (packet) => published.push(packet),
    onLive: (isLive) => told.push(isLive ? 'live' : 'not live'),
    onLost: () => told.push('lost'),
    ...options,
  });
  const pass = (ms: number) => {
    now += ms;
    return now;
  };
  /** Until the publisher has read. */
  const read = async () => {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return { microphone, told, published, pass, read };
}

const words = (published: readonly NumberedPacket[]) =>
  published.map(({ marker, terminator, sequence }) => `${marker ? 'M' : terminator ? 'T' : '-'}${sequence}`);

t.test('without a device nothing is live, and the key is remembered', async (t) => {
  const { microphone, told } = stage();
  const one = device();
  microphone.press();
  t.equal(microphone.isLive, false);
  microphone.use(one.capture);
  t.same(one.commands, ['start']);
  t.same(told, ['live']);
  await new Promise((resolve) => setImmediate(resolve));
  one.capture.ring.close();
});

t.test('another device goes on with the numbers, in a new talkspurt, with the key down', async (t) => {
  const { microphone, told, published, pass, read } = stage();
  const [one, two] = [device(), device()];
  microphone.use(one.capture);
  microphone.press();
  one.say(pass(20));
  one.say(pass(20));
  await read();
  one.say(pass(20));
  microphone.use(two.capture);
  t.same(one.commands, ['start', 'stop']);
  t.same(two.commands, ['start']);
  // Past the uncertainty about when the sound was made.
  two.say(pass(300));
  two.say(pass(20));
  await read();
  t.same(words(published), ['M0', '-1', 'T2', 'M3', '-4'], 'what waited in the first device is not sent');
  t.same(told, ['live', 'not live', 'live']);
  t.match(microphone.counts(), { talkspurts: 2, packets: 5, muted: 1 });
  one.capture.ring.close();
  two.capture.ring.close();
});

t.test('mute, mode and target outlive a device', async (t) => {
  const { microphone, told } = stage();
  microphone.mute();
  microphone.setMode('toggle');
  const one = device();
  microphone.use(one.capture);
  microphone.press();
  t.same(one.commands, [], 'muted');
  t.equal(microphone.mode, 'toggle');
  microphone.unmute();
  t.same(one.commands, ['start']);
  microphone.use(null);
  t.same(one.commands, ['start', 'stop']);
  t.same(told, ['live', 'not live']);
  one.capture.ring.close();
});

t.test('a device that is used again works as before', async (t) => {
  const { microphone, pass, published, read } = stage();
  const [one, two] = [device(), device()];
  microphone.press();
  microphone.use(one.capture);
  microphone.use(two.capture);
  one.end(pass(20));
  microphone.use(one.capture);
  t.same(one.commands, ['start', 'stop', 'start']);
  await read();
  one.say(pass(500));
  await read();
  t.same(words(published), ['M0']);
  one.capture.ring.close();
  two.capture.ring.close();
});

t.test('a device that ends by itself is reported once, and the next one is live at once', async (t) => {
  const { microphone, told, read } = stage();
  const [one, two] = [device(), device()];
  microphone.use(one.capture);
  microphone.press();
  one.capture.ring.close();
  await read();
  t.same(told, ['live', 'not live', 'lost']);
  t.equal(microphone.isLive, false);
  microphone.use(two.capture);
  t.same(told.slice(3), ['live']);
  two.capture.ring.close();
  await read();
});

t.test('release resolves at once without a device, and at the end of the tail with one', async () => {
  const { microphone, pass } = stage();
  await microphone.release();
  const one = device();
  microphone.use(one.capture);
  microphone.press();
  const released = microphone.release();
  one.end(pass(20));
  await released;
  one.capture.ring.close();
});

t.test('an unknown mode is refused, with and without a device', async (t) => {
  t.throws(() => stage({ mode: 'always' as never }), RangeError);
  const { microphone } = stage();
  t.throws(() => microphone.setMode('always' as never), RangeError);
  t.equal(microphone.mode, 'push-to-talk');
});
