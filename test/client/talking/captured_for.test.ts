/** Who receives captured sound when target, whisper list or lobby change before the publisher reads it. One case at a time. */

import t from 'tap';
import { joinLobby } from '../../../client/lobby/join.js';
import type { Lobby } from '../../../client/lobby/lobby.js';
import type { VoiceTarget } from '../../../client/session/voice_target.js';
import { CaptureTargets, type Destination } from '../../../client/talking/capture_targets.js';
import { Publisher } from '../../../client/talking/publisher.js';
import { CaptureTag, endTag, nextRequest } from '../../../voice/capture_tag.js';
import { writeMessage } from '../../../voice/control.js';
import { allocateRing, RingConsumer, RingProducer } from '../../../voice/ring.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { readVoiceHeader, WireFlag } from '../../../voice/wire.js';
import { frameOf, opusOp, packetOfOps, RATE_24K } from '../../kit/raw_packet.js';
import { RESUME, scriptedTransport, welcomeOf } from '../scripted_transport.js';
import { simulatedIo } from '../simulated_io.js';

const RED = { channel: 'red' };
const BLUE = { channel: 'blue' };

/** A lobby over a scripted transport, a microphone that the test drives, and a publisher in between that reads when the test says so. */
async function stage(target: VoiceTarget) {
  const { io, tick } = simulatedIo();
  tick(1000);
  const transport = scriptedTransport();
  const join = async (name: string, over: ReturnType<typeof scriptedTransport>): Promise<Lobby> => {
    const who = { steamId: personSteamId(7), name: 'Ada', token: async () => 'a.b.c' };
    const joining = joinLobby({ url: 'ws://relay.example', lobby: name, ...who, transport: over.open }, io);
    await turn();
    over.say().onOpen();
    const channels = ['red', 'blue'].map((channel, index) => ({ number: index + 1, name: channel }));
    const you = { ...welcomeOf().you, channels: [1, 2] };
    over.say().onText(writeMessage(welcomeOf({ you, channels, resume: RESUME })));
    return await joining;
  };
  const lobby = await join('den', transport);
  const storage = allocateRing(65_536);
  const producer = new RingProducer(storage);
  const consumer = new RingConsumer(storage);
  let request = 0;
  let opusSequence = 0;
  const publisher = new Publisher({
    capture: {
      ring: consumer,
      startVoiceRecording: () => {
        request = nextRequest(request);
        return request;
      },
      stopVoiceRecording: () => undefined,
    },
    clock: io.now,
    publish: lobby.publish,
    target,
  });
  const commit = (packet: Uint8Array, tag: number) => {
    producer.reserve(packet.length)!.set(packet);
    producer.commit(packet.length, tag, io.now());
  };
  /** What was sent since the last call, one word each: a target with M or T, or the type of a message. */
  let seen = transport.sent.length;
  const sent = (over = transport.sent) => {
    const words = over.slice(seen).map((message) => {
      if (typeof message === 'string') return (JSON.parse(message) as { type: string }).type;
      const header = readVoiceHeader(message);
      if (header.kind !== 'header') throw new Error('a voice frame');
      const name = { 0: 'lobby', 1: 'red', 2: 'blue', 255: 'whisper' }[header.target];
      return `${(message[0]! & WireFlag.marker) !== 0 ? 'M ' : ''}${header.terminator ? 'T ' : ''}${name}`;
    });
    seen = over.length;
    return words;
  };
  return {
    io,
    tick,
    transport,
    lobby,
    join,
    publisher,
    sent,
    /** Speaks `packets` packets of 20 ms while the key is down, or in the tail. */
    speak: (packets: number, tag: number = CaptureTag.talking) => {
      for (let count = 0; count < packets; count += 1) {
        tick(20);
        commit(packetOfOps(RATE_24K + opusOp(frameOf(opusSequence++, '48010203'))), tag);
      }
    },
    endRecording: () => {
      opusSequence = 0;
      commit(new Uint8Array(0), endTag(request));
    },
    /** Lets the publisher read the ring. */
    read: async () => {
      while (consumer.read() !== null) await turn();
    },
    end: async () => {
      producer.close();
      await publisher.finished();
      void lobby.leave();
      transport.say().onClose(1000, '', null);
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

t.test('what a busy thread finds in the ring goes to the target at key-up, tail included', async (t) => {
  const ada = await stage('whisper');
  ada.lobby.whisper([1]);
  ada.publisher.press();
  ada.speak(4);
  const released = ada.publisher.release();
  ada.publisher.speakTo('lobby');
  ada.speak(4, CaptureTag.draining);
  ada.endRecording();
  await released;
  t.same(ada.sent(), ['whisper', 'M whisper', ...new Array(7).fill('whisper')]);
  ada.publisher.press();
  ada.speak(2);
  await ada.read();
  t.same(ada.sent(), ['M lobby', 'lobby'], 'no sound of a recording is older than its key-down');
  await ada.end();
});

t.test(
  'after a change with the key down, sound that may be from before goes to the narrower target',
  async (t) => {
    for (const [from, to] of [
      ['whisper', 'lobby'],
      ['lobby', 'whisper'],
      [RED, 'lobby'],
    ] as const) {
      const ada = await stage(from);
      ada.lobby.whisper([1]);
      ada.publisher.press();
      ada.speak(10);
      ada.publisher.speakTo(to);
      ada.speak(10);
      await ada.read();
      const words = ada.sent().filter((word) => / |^(lobby|red|whisper)$/.test(word));
      const lobbies = words.filter((word) => word.endsWith('lobby')).length;
      // The sound may be 140 ms old, including its own 20 ms. The last packet before the change is captured at the same instant.
      t.equal(lobbies, from === 'lobby' ? 10 : 4, `${JSON.stringify(from)} to ${JSON.stringify(to)}`);
      t.equal(words.filter((word) => word.startsWith('T')).length, 1, 'and the talkspurt before is ended');
      t.equal(ada.publisher.counts().withheld, 0);
      await ada.end();
    }
  },
);

t.test(
  'between two channels, a packet that may hold sound for both goes to nobody, and is counted',
  async (t) => {
    const ada = await stage(RED);
    ada.publisher.press();
    ada.speak(5);
    ada.publisher.speakTo(BLUE);
    ada.speak(10);
    await ada.read();
    t.same(ada.sent(), ['M red', 'red', 'red', 'red', 'T red', 'M blue', 'blue', 'blue', 'blue']);
    t.equal(ada.publisher.counts().withheld, 7);
    await ada.end();
  },
);

t.test('a target set right after the key-down is the only one', async (t) => {
  const ada = await stage(RED);
  ada.publisher.press();
  ada.publisher.speakTo(BLUE);
  ada.speak(3);
  await ada.read();
  t.same(ada.sent(), ['M blue', 'blue', 'blue']);
  await ada.end();
});

t.test('a new whisper list is sent after the voice for the old one', async (t) => {
  const ada = await stage('whisper');
  ada.lobby.whisper([1]);
  t.same(ada.sent(), ['whisper'], 'the first at once');
  ada.publisher.press();
  ada.speak(3);
  const released = ada.publisher.release();
  ada.lobby.whisper([2]);
  ada.speak(2, CaptureTag.draining);
  ada.endRecording();
  await released;
  t.same(
    ada.sent(),
    ['M whisper', 'whisper', 'whisper', 'whisper', 'whisper'],
    'frames, for the list is a message',
  );
  t.notOk(ada.transport.sent.includes('{"type":"whisper","slots":[2]}'));
  ada.publisher.press();
  ada.speak(1);
  await ada.read();
  t.equal(ada.transport.sent.at(-2), '{"type":"whisper","slots":[2]}');
  await ada.end();
});

t.test(
  'without voice, a new whisper list is sent after 500 ms, and older whispers are then dropped',
  async (t) => {
    const ada = await stage('whisper');
    ada.lobby.whisper([1]);
    ada.publisher.press();
    ada.speak(3);
    ada.lobby.whisper([2]);
    ada.tick(499);
    t.notOk(ada.transport.sent.includes('{"type":"whisper","slots":[2]}'));
    ada.tick(1);
    t.equal(ada.transport.sent.at(-1), '{"type":"whisper","slots":[2]}');
    ada.sent();
    await ada.read();
    t.same(ada.sent(), []);
    await ada.end();
  },
);

t.test('after a reconnection, the whisper list is sent again before any voice', async (t) => {
  const ada = await stage('whisper');
  ada.lobby.whisper([1]);
  ada.transport.say().onClose(1006, '', null);
  ada.tick(0);
  ada.transport.say().onOpen();
  ada.transport.say().onText(writeMessage(welcomeOf({ resume: RESUME })));
  t.equal(ada.transport.sent.at(-1), '{"type":"whisper","slots":[1]}', 'it may have been lost');
  await ada.end();
});

t.test('whispers captured before joining again are not sent', async (t) => {
  const ada = await stage('whisper');
  ada.lobby.whisper([1]);
  ada.publisher.press();
  ada.speak(3);
  ada.transport.say().onClose(1006, '', null);
  ada.tick(0);
  ada.transport.say().onOpen();
  ada.transport.say().onText('{"type":"refused","code":"resume-refused","message":"gone"}');
  ada.transport.say().onClose(4013, 'resume-refused', null);
  ada.tick(125);
  await turn();
  ada.transport.say().onOpen();
  ada.transport.say().onText(writeMessage(welcomeOf({ resume: RESUME })));
  ada.lobby.whisper([1]);
  const { length } = ada.transport.sent;
  await ada.read();
  t.same(ada.transport.sent.slice(length), [], 'slot 1 may be anyone here');
  t.equal(ada.lobby.counts().framesRefused, 3);
  await ada.end();
});

t.test(
  'voice captured before a lobby was joined is not sent there, even if it is picked as the target',
  async (t) => {
    const ada = await stage('lobby');
    let current = ada.lobby;
    const publisher = ada.publisher;
    publisher.speakTo('lobby', (packet, target) => current.publish(packet, target));
    publisher.press();
    ada.speak(5);
    const pub = scriptedTransport();
    current = await ada.join('pub', pub);
    const before = pub.sent.length;
    await ada.read();
    t.same(pub.sent.slice(before), []);
    ada.speak(10);
    await ada.read();
    t.equal(pub.sent.length - before, 3, 'from more than 140 ms after the welcome on');
    void current.leave();
    pub.say().onClose(1000, '', null);
    await ada.end();
  },
);

t.test('when a publisher switches lobbies, earlier voice still goes to the first one', async (t) => {
  const ada = await stage('lobby');
  const pub = scriptedTransport();
  const other = await ada.join('pub', pub);
  const before = pub.sent.length;
  ada.publisher.press();
  ada.speak(5);
  const released = ada.publisher.release();
  ada.publisher.speakTo('lobby', other.publish);
  ada.speak(2, CaptureTag.draining);
  ada.endRecording();
  await released;
  t.equal(ada.sent().length, 7);
  t.same(pub.sent.slice(before), []);
  ada.publisher.press();
  ada.speak(1);
  await ada.read();
  t.equal(pub.sent.length - before, 1);
  void other.leave();
  pub.say().onClose(1000, '', null);
  await ada.end();
});

t.test('with more changes than are kept, the oldest are narrowed and never widened', (t) => {
  const publish = () => true;
  const to = (target: VoiceTarget): Destination => ({ publish, target });
  const targets = new CaptureTargets(to(RED));
  for (let at = 10; at <= 1000; at += 10) targets.change(to(at % 20 === 0 ? 'lobby' : 'whisper'), at);
  t.equal(targets.during(0, 5), null, 'red and whisper have nobody in common for certain');
  t.same(targets.during(995, 999)?.target, 'whisper');
  t.same(targets.during(1000, 1000)?.target, 'lobby');
  t.same(targets.during(985, 1000)?.target, 'whisper');
  t.end();
});
