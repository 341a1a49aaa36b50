/** A thousand cuts: four people speak to eight for hours, over connections that break at random, while a moderator mutes. */

import t from 'tap';
import type { AdminCommand, Moderation } from '../../../relay/core/administration.js';
import { readPacket } from '../../../voice/packet.js';
import { personSteamId } from '../../../voice/steam_id.js';
import { SEED } from '../../kit/random.js';
import { packetBy } from '../../relay/kit.js';
import { type Player, World } from './world.js';

const CUTS = 1000;
const SPEAKERS = 4;
const LISTENERS = 4;
const MAX_CUT_MS = 40_000;
/** A voice frame this often, from each speaker. */
const FRAME_EVERY_MS = 200;
/** A place is kept for 30 s, and the last pause before an attempt is at most 4 s: a player whose network is back by then resumes. */
const SURELY_RESUMES_MS = 20_000;

/** Whoever comes back later than this, after the 30 s of the place and the longest attempt, may have given up. */
const MAY_GIVE_UP_MS = 25_000;

interface Cut {
  readonly at: number;
  readonly ms: number;
  noticedAt: number | null;
  backAt: number | null;
  how: 'resumed' | 'joined-anew' | 'ended' | null;
}

/** A person, over all their sessions. */
interface Person {
  readonly account: number;
  player: Player;
  cut: Cut | null;
  /** The frames heard in this session, the newest sequence of each speaker, and how far the relay's clock is ahead. */
  frames: number;
  readonly last: Map<number, number>;
  clock: number | null;
}

/** Frames of each speaker: whether the relay passed them on, by sequence. */
interface Spoken {
  sequence: number;
  muted: boolean;
  readonly forwarded: Set<number>;
}

t.test(
  'over a thousand cuts of 0 to 40 s nobody muted is heard, numbering holds, and all who can resume do',
  async (t) => {
    t.comment(`seed ${SEED}`);
    const faults: string[] = [];
    const fault = (what: string) => {
      if (faults.length < 10) faults.push(`${Math.round(world.agenda.now)} ms: ${what}`);
    };
    const spoken = new Map<number, Spoken>();
    const people = new Map<number, Person>();
    const done: Cut[] = [];
    /** Those whose place the relay gave up. */
    const gone = new Set<string>();

    const world = new World(SEED, {
      onForwarded: (account, sequence) => {
        const speaker = spoken.get(account)!;
        if (speaker.muted) fault(`the relay passes on the muted ${account}`);
        speaker.forwarded.add(sequence);
      },
      onVoice: ({ account: listener }, { participant, header, packet }) => {
        const read = readPacket(packet);
        if (read.kind !== 'packet') throw new Error('a packet arrives unchanged');
        const account = read.steamIdLow;
        const ear = people.get(listener)!;
        ear.frames += 1;
        if (participant.steamId !== personSteamId(account))
          fault(`${account} is heard as ${participant.name}`);
        if (participant.slot !== header.slot) fault(`slot ${header.slot} is that of ${participant.slot}`);
        if (!spoken.get(account)?.forwarded.has(header.sequence)) fault(`${account} was not passed on`);
        const before = ear.last.get(account) ?? -1;
        if (header.sequence <= before) fault(`${account}: ${header.sequence} after ${before}`);
        ear.last.set(account, header.sequence);
        const offset = header.relayTimeMs - world.agenda.now;
        ear.clock ??= offset;
        if (Math.abs(offset - ear.clock) > 1000) fault(`the relay's clock jumps by ${offset - ear.clock} ms`);
      },
      onRelayEvent: (event) => {
        if (event.kind === 'left' && event.why === 'gone') gone.add(event.steamId);
      },
      onTold: ({ account }, output) => {
        const person = people.get(account);
        const { now } = world.agenda;
        if (!person) return;
        const { cut } = person;
        if (output.kind === 'away' && cut) cut.noticedAt = now;
        if (output.kind === 'ended' || output.kind === 'join-failed') {
          if (cut && output.kind === 'ended') {
            if (now - cut.at < MAY_GIVE_UP_MS) fault(`${account} gave up after ${now - cut.at} ms`);
            cut.how = 'ended';
          }
          world.agenda.after(1000, () => join(account, person));
        }
        if (output.kind === 'welcome' && cut) cut.backAt = now;
        if (output.kind !== 'resumed') return;
        const id = String(personSteamId(account));
        if (output.how === 'joined-anew' && !gone.has(id)) fault(`${account} could have resumed`);
        gone.delete(id);
        if (!cut) return;
        cut.backAt = now;
        cut.how = output.how;
      },
    });

    const join = (account: number, person?: Person) => {
      const player = world.add(account, {}, person?.player.link);
      const fresh = { player, frames: 0, clock: null };
      people.set(account, { account, cut: null, last: new Map(), ...person, ...fresh });
    };
    for (let account = 1; account <= SPEAKERS + LISTENERS; account += 1) {
      if (account <= SPEAKERS) spoken.set(account, { sequence: 0, muted: false, forwarded: new Set() });
      join(account);
    }

    const speak = (account: number) => {
      const sequence = spoken.get(account)!.sequence++;
      const packet = packetBy(personSteamId(account), sequence);
      const at = { capturedAt: world.agenda.now, timestamp: sequence * 4800 };
      const flags = { marker: sequence === 0, terminator: false };
      const { player } = people.get(account)!;
      world.input(player, {
        kind: 'publish',
        target: 'lobby',
        packet: { packet, sequence, ...at, ...flags },
      });
      world.agenda.after(FRAME_EVERY_MS, () => speak(account));
    };
    const mute = () => {
      const account = 1 + world.random.below(SPEAKERS);
      const speaker = spoken.get(account)!;
      speaker.muted = !speaker.muted;
      const action = speaker.muted ? ('mute' as const) : ('unmute' as const);
      const moderation: Moderation = { action, steamId: String(personSteamId(account)) };
      const command: AdminCommand = { kind: 'moderate', lobby: 'den', moderation };
      world.perform(world.relay.administer(command, world.agenda.now, world.unixSeconds).outputs);
      world.agenda.after(world.between(500, 20_000), mute);
    };
    let left = CUTS;
    const cutOne = (account: number) => {
      const person = people.get(account)!;
      const { player, cut } = person;
      if (cut !== null && cut.backAt !== null && player.link.state === 'up') {
        done.push(cut);
        person.cut = null;
      }
      if (person.cut === null && player.session.state === 'joined' && left > 0) {
        left -= 1;
        const ms = world.between(0, MAX_CUT_MS);
        person.cut = { at: world.agenda.now, ms, noticedAt: null, backAt: null, how: null };
        world.cut(player, ms);
      }
      world.agenda.after(world.between(500, 8000), () => cutOne(account));
    };

    world.agenda.runUntil(5000);
    for (const { player } of people.values()) t.equal(player.session.state, 'joined');
    for (const account of spoken.keys()) speak(account);
    mute();
    for (const account of people.keys()) cutOne(account);
    while (done.length < CUTS && world.agenda.now < 24 * 3_600_000) {
      world.agenda.runUntil(world.agenda.now + 10_000);
    }

    t.same(faults, []);
    t.equal(done.length, CUTS, 'after each cut they were back');
    for (const { account, player, frames } of people.values()) {
      t.equal(player.session.state, 'joined', `${account} is back`);
      const others = [...spoken].filter(([speaker]) => speaker !== account);
      const passed = others.reduce((sum, [, { forwarded }]) => sum + forwarded.size, 0);
      const { framesMissed, framesReceived } = player.session.counts();
      t.equal(framesReceived, frames);
      t.ok(framesMissed <= passed - frames, `${framesMissed} missed of ${passed - frames}`);
    }
    for (const { ms, how } of done) {
      if (ms < SURELY_RESUMES_MS) t.equal(how, 'resumed', `after a cut of ${Math.round(ms)} ms`);
    }
    const ends = { resumed: 0, 'joined-anew': 0, ended: 0 };
    for (const { how } of done) if (how) ends[how] += 1;
    t.comment(
      `resumed ${ends.resumed}, joined again ${ends['joined-anew']}, gave up and joined ${ends.ended}`,
    );
    const waits = done
      .filter(({ how }) => how !== 'ended')
      // A second of silence has to pass before anything is done.
      .map(({ at, ms, backAt }) => backAt! - (at + Math.max(ms, 1000)))
      .sort((a, b) => a - b);
    const quantile = (share: number) => Math.round(waits[Math.floor(share * (waits.length - 1))]!);
    t.comment(
      `live again after the cut, or a second of silence: p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms`,
    );
    for (const edge of [100, 250, 500, 1000, 2000, 4000, 8000]) {
      t.comment(`within ${edge} ms: ${waits.filter((wait) => wait <= edge).length} of ${waits.length}`);
    }
    t.ok(quantile(1) < 12_000, `the longest took ${quantile(1)} ms`);
  },
);
