/**
 * People who do nothing wrong while others attack: in each lobby some talk at 50 frames/s, without a pause, and all listen. A thread of
 * its own, so that what the attackers compute does not hold them up.
 *
 * Each listener holds each talker to the sequence: a frame that is lost, doubled, out of order or not bit for bit the talker's is
 * kept as a fault, and so is anything that the relay says which only an attack could have brought about.
 */

import { parentPort, workerData } from 'node:worker_threads';
import WebSocket from 'ws';
import { readVoiceHeader, WIRE_HEADER_BYTES, writeVoiceFrame } from '../../voice/wire.js';
import { packetBy } from '../relay/kit.js';

/** A person: those of one lobby hear each other. */
export interface Person {
  readonly lobby: string;
  readonly steamId: string;
  readonly token: string;
  readonly role: 'talks' | 'listens';
}

export interface HonestOrder {
  readonly url: string;
  readonly ca: string | null;
  readonly from: string;
  readonly people: readonly Person[];
}

/** What was so since the last question: everything that was said before it has been heard. */
export interface HonestReport {
  /** Frames heard, over all listeners. */
  readonly heard: number;
  readonly worstMs: number;
  readonly faults: readonly string[];
}

const FRAME_MS = 20;
/** Half of what a relay accepts at once. */
const MAX_LATE_FRAMES = 100;
/** A frame that took longer was lost for whoever waits for it. */
const DEADLINE_MS = 90_000;
/** Of those that are told. */
const MAX_FAULTS = 20;

interface Member {
  readonly person: Person;
  readonly socket: WebSocket;
  slot: number;
  /** By the talker's slot: the sequence that is to come. */
  readonly wanted: Map<number, number>;
  /** The same of the relay's own sequence. */
  readonly relayWanted: Map<number, number>;
}

interface Talker {
  readonly member: Member;
  readonly packet: Uint8Array;
  sent: number;
  /** Frames that were due and not sent. */
  skipped: number;
  readonly sentAt: Float64Array;
}

const { url, ca, from, people } = workerData as HonestOrder;
let faults: string[] = [];
let heard = 0;
let worstMs = 0;
let isOver = false;
const talkers: Talker[] = [];
const members: Member[] = [];

function fault(text: string): void {
  if (faults.length < MAX_FAULTS && !isOver) faults.push(text);
}

async function join(person: Person): Promise<Member> {
  const socket = new WebSocket(url, {
    localAddress: from,
    ...(ca !== null && { ca, servername: 'relay.test' }),
  });
  const member: Member = { person, socket, slot: -1, wanted: new Map(), relayWanted: new Map() };
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', (code) => fault(`${person.steamId} was disconnected (${code})`));
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        hear(member, data);
        return;
      }
      const message = JSON.parse(data.toString()) as { type: string; slot?: number };
      if (message.type === 'welcome') {
        member.slot = message.slot!;
        resolve();
      } else if (message.type !== 'joined' && message.type !== 'speaking')
        fault(`${person.steamId} was told: ${data}`);
    });
    socket.on('open', () => {
      const { lobby, steamId, token } = person;
      socket.send(JSON.stringify({ type: 'hello', versions: [1], lobby, name: 'honest', steamId, token }));
    });
  });
  return member;
}

function hear(member: Member, data: Buffer): void {
  const header = readVoiceHeader(data);
  if (header.kind === 'malformed') {
    fault(`${member.person.steamId} got ${header.detail}`);
    return;
  }
  const { slot, sequence, relaySequence } = header;
  const talker = talkers.find(
    (it) => it.member.slot === slot && it.member.person.lobby === member.person.lobby,
  );
  if (!talker) {
    fault(`${member.person.steamId} heard slot ${slot}, who does not talk`);
    return;
  }
  const wanted = member.wanted.get(slot) ?? 0;
  if (sequence !== wanted)
    fault(`${member.person.steamId} got frame ${sequence} of slot ${slot}, expected ${wanted}`);
  member.wanted.set(slot, (sequence + 1) & 0xffff);
  const next = member.relayWanted.get(slot) ?? 0;
  if (relaySequence !== next)
    fault(`${member.person.steamId} got relay sequence ${relaySequence} of slot ${slot}, expected ${next}`);
  member.relayWanted.set(slot, (relaySequence + 1) & 0xffff);
  if (!data.subarray(WIRE_HEADER_BYTES).equals(talker.packet))
    fault(`${member.person.steamId} got other bytes than were sent`);
  heard += 1;
  worstMs = Math.max(worstMs, performance.now() - talker.sentAt[sequence]!);
}

/** Sends what is due. After this thread has stalled, what is older than MAX_LATE_FRAMES is left out, as a game does it: it would exceed the rates. */
function talk(): void {
  const due = Math.floor((performance.now() - startedAt) / FRAME_MS);
  for (const talker of talkers) {
    talker.skipped += Math.max(0, due - talker.skipped - talker.sent - MAX_LATE_FRAMES);
    while (talker.sent + talker.skipped < due) {
      const sequence = talker.sent & 0xffff;
      const fields = {
        marker: talker.sent === 0,
        terminator: false,
        target: 0,
        sequence,
        timestamp: (talker.sent * 480) >>> 0,
      };
      talker.sentAt[sequence] = performance.now();
      talker.member.socket.send(writeVoiceFrame(fields, talker.packet));
      talker.sent += 1;
    }
  }
}

/** When all have heard what was said until now, and a little more. */
async function report(): Promise<HonestReport> {
  // A little more, so that they are seen to talk on.
  const until = talkers.map(({ sent }) => sent + 2);
  const deadline = performance.now() + DEADLINE_MS;
  const isHeard = () =>
    talkers.every(({ member: { slot, person } }, at) =>
      members.every(
        (member) =>
          member.person.lobby !== person.lobby ||
          member.slot === slot ||
          (((member.wanted.get(slot) ?? 0) - until[at]!) & 0xffff) < 0x8000,
      ),
    );
  while (!isHeard()) {
    if (performance.now() > deadline) {
      fault(`what was said was not heard within ${DEADLINE_MS} ms`);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const told = { heard, worstMs, faults };
  heard = 0;
  worstMs = 0;
  faults = [];
  return told;
}

for (const person of people) members.push(await join(person));
for (const member of members) {
  if (member.person.role !== 'talks') continue;
  const packet = packetBy(BigInt(member.person.steamId));
  talkers.push({ member, packet, sent: 0, skipped: 0, sentAt: new Float64Array(0x10000) });
}
const startedAt = performance.now();
const timer = setInterval(talk, FRAME_MS / 2);
parentPort!.on('message', async (question: 'report' | 'leave') => {
  if (question === 'report') return parentPort!.postMessage(await report());
  isOver = true;
  clearInterval(timer);
  for (const { socket } of members) socket.send(JSON.stringify({ type: 'leave' }));
  await Promise.all(members.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve))));
  parentPort!.close();
});
parentPort!.postMessage('ready');
