/**
 * What a game does with a client, told once and run on Node's client and on the browser's, against the same relay. A scenario returns what
 * happened, as plain values; scenarios.test.ts says what it expects. It runs where the client runs: no Node module here.
 */

import type {
  Lobby,
  LobbyEvents,
  LobbyOptions,
  PcmMicrophone,
  PcmMicrophoneOptions,
  Voice,
  VoiceEvent,
  VoiceOptions,
  VoiceTarget,
} from '../../../client/index.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { MAX_PACKET_BYTES } from '../../../voice/units.js';
import { VoiceEncoder } from '../../../wasm/compress.js';
import { toldWords } from '../told.js';

/** The client under test. */
export interface Client {
  joinLobby(options: LobbyOptions): Promise<Lobby>;
  joinVoice(options: VoiceOptions): Promise<Voice>;
  makeMicrophone(options: PcmMicrophoneOptions): PcmMicrophone;
  /** Of hotmic/codec. */
  loadCodec(): unknown;
}

/** Where to connect, and what the test does on the other side. */
export interface Place {
  readonly url: string;
  /** Cuts the connections of `url`, or lets them die silently; drains the relay towards `next`. */
  readonly control: (what: 'cut' | 'freeze' | 'drain') => Promise<void>;
  readonly next: string;
}

export type Scenario = (client: Client, place: Place) => Promise<Record<string, unknown>>;

const who = (account: number, name: string) => ({ lobby: 'den', steamId: personSteamId(account), name });

/** Events in words, and a way to wait for one. */
function ears() {
  const { told, tell, until } = toldWords();
  const targetOf = (target: VoiceTarget) => (typeof target === 'string' ? target : target.channel);
  const events: LobbyEvents = {
    onJoined: ({ name }) => tell(`joined ${name}`),
    onLeft: ({ name }) => tell(`left ${name}`),
    onChanged: ({ name, channels, away }) => tell(`${name} in ${channels.join()}${away ? ', away' : ''}`),
    onYouChanged: ({ name, channels }) => tell(`you: ${name} in ${channels.join()}`),
    onVoice: ({ name }, { sequence }, packet, target) =>
      tell(`${name} to ${targetOf(target)}: ${sequence}, ${sumOf(packet)}`),
    onReconnecting: ({ code }) => tell(`reconnecting ${code}`),
    onResumed: (how) => tell(how),
    onDraining: (withinMs) => tell(`draining ${withinMs}`),
    onEnded: (error) => tell(`ended ${error?.code ?? null}`),
  };
  return { told, events, until };
}

/** A number that bytes which were changed on the way would not have. */
function sumOf(bytes: Uint8Array): number {
  let sum = bytes.length;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) >>> 0;
  return sum;
}

/** Packets of a tone of this length by this account, one per frame, numbered. */
function toneBy(account: number, seconds: number) {
  const encoder = new VoiceEncoder(personSteamId(account), { framesPerPacket: 1 });
  const pcm = Int16Array.from({ length: 24_000 * seconds }, (_, at) => 8000 * Math.sin(at / 9));
  encoder.write(pcm);
  const packets: Uint8Array[] = [];
  const room = new Uint8Array(MAX_PACKET_BYTES);
  for (let length = encoder.read(room); length > 0; length = encoder.read(room))
    packets.push(room.slice(0, length));
  encoder.free();
  return packets.map((packet, sequence) => ({
    ...{ packet, sequence, timestamp: 480 * sequence, capturedAt: 0 },
    ...{ marker: sequence === 0, terminator: sequence === packets.length - 1 },
  }));
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const talk: Scenario = async (client, { url }) => {
  await client.loadCodec();
  const ben = ears();
  const listener = await client.joinLobby({ ...who(2, 'Ben'), url, events: ben.events });
  const speaker = await client.joinLobby({ ...who(1, 'Ada'), url });
  await ben.until('joined Ada');
  const [first, second] = toneBy(1, 1);
  const sums = [sumOf(first!.packet), sumOf(second!.packet)];
  const sent = [speaker.publish(first!), speaker.publish(second!)];
  await ben.until(`Ada to lobby: 1, ${sums[1]}`);
  speaker.rename('Ada II');
  await ben.until('Ada II in ');
  const participants = listener.participants.map(({ name }) => name);
  await speaker.leave();
  await ben.until('left Ada II');
  const counts = listener.counts();
  const { state } = listener;
  await listener.leave();
  const heard = ben.told.filter((what) => what.includes(' to '));
  return {
    sent,
    unchanged: heard.join() === sums.map((sum, at) => `Ada to lobby: ${at}, ${sum}`).join(),
    participants,
    told: ben.told.filter((what) => !what.includes(' to ')),
    counts: [counts.framesReceived, counts.framesMissed],
    states: [speaker.state, state],
  };
};

const channels: Scenario = async (client, { url }) => {
  await client.loadCodec();
  const [ada, ben, cleo] = [ears(), ears(), ears()];
  const speaker = await client.joinLobby({ ...who(1, 'Ada'), url, events: ada.events });
  const inRed = await client.joinLobby({ ...who(2, 'Ben'), url, events: ben.events });
  const outside = await client.joinLobby({ ...who(3, 'Cleo'), url, events: cleo.events });
  speaker.enter(['red']);
  inRed.enter(['red']);
  await Promise.all([ada.until('you: Ada in red'), ada.until('Ben in red')]);
  const [one, two, three, four] = toneBy(1, 1);
  speaker.publish(one!, { channel: 'red' });
  speaker.whisper([outside.slot]);
  speaker.publish(two!, 'whisper');
  const isInBlue = speaker.publish(three!, { channel: 'blue' });
  speaker.publish(four!);
  await Promise.all([ben, cleo].map(({ until }) => until(`Ada to lobby: 3, ${sumOf(four!.packet)}`)));
  const heardBy = ({ told }: typeof ben) => told.flatMap((what) => /^Ada to (\w+)/.exec(what)?.[1] ?? []);
  const heard = { ben: heardBy(ben), cleo: heardBy(cleo) };
  for (const lobby of [speaker, inRed, outside]) await lobby.leave();
  return { ...heard, isInBlue };
};

const cut: Scenario = async (client, { url, control }) => {
  await client.loadCodec();
  const ada = ears();
  const lobby = await client.joinLobby({ ...who(1, 'Ada'), url, events: ada.events });
  const { slot } = lobby;
  await control('cut');
  await ada.until('resumed');
  const sent = lobby.publish(toneBy(1, 1)[0]!);
  const { resumes } = lobby.counts();
  const isSameSlot = lobby.slot === slot;
  await lobby.leave();
  return { told: ada.told, sent, resumes, isSameSlot };
};

const freeze: Scenario = async (client, { url, control }) => {
  const ada = ears();
  const lobby = await client.joinLobby({ ...who(1, 'Ada'), url, events: ada.events });
  await control('freeze');
  await ada.until('resumed');
  await lobby.leave();
  return { told: ada.told };
};

const drain: Scenario = async (client, { url, next, control }) => {
  const ada = ears();
  const { host } = new URL(next);
  const options = { ...who(1, 'Ada'), url, events: ada.events, redirectHosts: [host] };
  const lobby = await client.joinLobby(options);
  await control('drain');
  await ada.until('joined-anew');
  const { redirects } = lobby.counts();
  await lobby.leave();
  return { told: ada.told, followed: redirects.followed };
};

const hear: Scenario = async (client, { url }) => {
  const voice = await client.joinVoice({ ...who(2, 'Ben'), url, output: { channels: 2 } });
  const speaker = await client.joinLobby({ ...who(1, 'Ada'), url });
  const packets = toneBy(1, 1);
  // As many samples as time has passed, and as many packets: how fast this machine is does not matter.
  const startedAt = performance.now();
  let pulled = 0;
  let said = 0;
  let loudest = 0;
  while (loudest < 2000) {
    await pause(5);
    const elapsed = performance.now() - startedAt;
    for (; said < packets.length && said * 20 <= elapsed; said += 1) speaker.publish(packets[said]!);
    const due = Math.min(48_000, Math.floor(elapsed * 48) - pulled);
    pulled += due;
    for (const sample of voice.pull(new Int16Array(2 * due))) loudest = Math.max(loudest, sample);
  }
  const heard = voice.statistics().speakers.map(({ steamId }) => steamId === speaker.you.steamId);
  await speaker.leave();
  await voice.leave();
  return { isLoud: loudest > 2000 && loudest < 20_000, heard, ended: await voice.ended };
};

/** What a game shows of these events. */
function wordsOf(event: VoiceEvent): string | null {
  switch (event.kind) {
    case 'joined':
    case 'left':
      return `${event.kind} ${event.participant.name}`;
    case 'speaking':
      return `${event.participant.name} ${event.participant.speaking ? 'speaks' : 'is silent'}`;
    case 'changed':
      return `${event.participant.name} ${event.participant.blocked ? 'blocked' : 'changed'}`;
    case 'live':
      return event.isLive ? 'live' : 'not live';
    case 'blocked':
      return `blocks ${event.steamIds.length}`;
    case 'ended':
      return `ended ${event.error?.code ?? null}`;
    default:
      return null;
  }
}

const speak: Scenario = async (client, { url }) => {
  const [ada, ben] = [toldWords(), toldWords()];
  const told = ({ tell }: typeof ada) => {
    return (event: VoiceEvent) => {
      const words = wordsOf(event);
      if (words) tell(words);
    };
  };
  const listener = await client.joinVoice({ ...who(2, 'Ben'), url, onEvent: told(ben) });
  const microphones: PcmMicrophone[] = [];
  const speaker = await client.joinVoice({
    ...who(1, 'Ada'),
    url,
    onEvent: told(ada),
    microphone: (steamId) => {
      const microphone = client.makeMicrophone({ steamId, hangoverMs: 20 });
      microphones.push(microphone);
      return microphone;
    },
  });
  const tone = Float32Array.from({ length: 960 }, (_, at) => 0.3 * Math.sin(at / 18));
  const say = (frames: number) => {
    for (let frame = 0; frame < frames; frame += 1) microphones[0]!.write(tone);
  };
  const talk = async () => {
    speaker.press();
    say(10);
    const released = speaker.release();
    say(10);
    await released;
  };
  await ben.until('joined Ada');
  say(10);
  await talk();
  await ben.until('Ada is silent');
  const first = listener.statistics().lobby.framesReceived;
  speaker.mute();
  speaker.press();
  say(10);
  await speaker.release();
  speaker.unmute();
  listener.block(speaker.you.steamId);
  await talk();
  await speaker.leave();
  await ben.until('left Ada');
  const sent = speaker.statistics().microphone;
  const received = listener.statistics().lobby.framesReceived;
  const silence = listener.pull(new Int16Array(4800)).every((sample) => sample === 0);
  await listener.leave();
  return {
    ada: ada.told,
    ben: ben.told,
    talkspurts: sent.talkspurts,
    all: received === sent.packets && sent.packets > first && first > 0,
    silence,
  };
};

/** Two minutes of sound: a busy machine may be late for a while. */
const MAX_TONE_SAMPLES = 120 * 48_000;

/** How loud this frequency is, of an amplitude of 32,767. */
function amplitude(pcm: readonly number[], hz: number): number {
  let [re, im] = [0, 0];
  for (const [at, sample] of pcm.entries()) {
    re += sample * Math.cos((2 * Math.PI * hz * at) / 48_000);
    im += sample * Math.sin((2 * Math.PI * hz * at) / 48_000);
  }
  return (2 * Math.hypot(re, im)) / pcm.length;
}

const tone: Scenario = async (client, { url }) => {
  const listener = await client.joinVoice({ ...who(2, 'Ben'), url });
  let microphone: PcmMicrophone | null = null;
  const speaker = await client.joinVoice({
    ...who(1, 'Ada'),
    url,
    microphone: (steamId) => {
      microphone = client.makeMicrophone({ steamId });
      return microphone;
    },
  });
  speaker.press();
  // Both at the pace of the clock, until 200 ms in a row are the tone and nothing else. What a stall missed is left out: said at once, it
  // would be more than the relay allows.
  let [samples, isTone] = [0, false];
  const heard: number[] = [];
  let before = performance.now();
  while (!isTone && samples < MAX_TONE_SAMPLES) {
    await pause(10);
    const now = performance.now();
    const due = Math.min(4800, Math.round((now - before) * 48));
    before = now;
    const from = samples;
    const said = Float32Array.from({ length: due }, (_, at) => {
      return 0.3 * Math.sin((2 * Math.PI * 440 * (from + at)) / 48_000);
    });
    samples += due;
    microphone!.write(said);
    heard.push(...listener.pull(new Int16Array(due)));
    if (heard.length < 9600) continue;
    const last = heard.splice(0).slice(-9600);
    isTone = amplitude(last, 440) > 7000 && amplitude(last, 1000) < 500;
  }
  await speaker.release();
  await speaker.leave();
  await listener.leave();
  return { isTone, ended: [await speaker.ended, await listener.ended] };
};

const refusals: Scenario = async (client, { url }) => {
  const codeOf = async (joining: Promise<unknown>) => {
    try {
      await joining;
      return 'joined';
    } catch (error) {
      const { code, name, message } = error as { code?: string; name: string; message: string };
      return code ?? `${name}: ${message}`;
    }
  };
  const first = await client.joinLobby({ ...who(1, 'Ada'), url });
  const controller = new AbortController();
  const aborted = codeOf(client.joinLobby({ ...who(3, 'Cleo'), url, signal: controller.signal }));
  controller.abort();
  const codes = {
    twice: await codeOf(client.joinLobby({ ...who(1, 'Ada'), url })),
    nobody: await codeOf(client.joinLobby({ ...who(2, 'Ben'), url: 'ws://127.0.0.1:9' })),
    name: await codeOf(client.joinLobby({ ...who(2, ''), url })),
    path: await codeOf(client.joinLobby({ ...who(2, 'Ben'), url: `${url}/nowhere` })),
    scheme: await codeOf(client.joinLobby({ ...who(2, 'Ben'), url: 'http://relay' })),
    aborted: await aborted,
  };
  await first.leave();
  return codes;
};

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  talk,
  channels,
  cut,
  freeze,
  drain,
  hear,
  speak,
  tone,
  refusals,
};
