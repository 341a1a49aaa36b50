/** Compares everything that can be seen of a relay, and what its clients believe, with the model. */

import { holdsAny, type Until } from '../../../../relay/core/sanctions.js';
import type { Bench } from '../../kit.js';
import { type Belief, stateKey } from './belief.js';
import type { Clients, Notes } from './clients.js';
import type { Losses } from './losses.js';
import type { Model } from './model.js';
import { keyOf, type Member, type ModelLobby } from './model_state.js';

export class Comparison {
  readonly #bench: Bench;
  readonly #model: Model;
  readonly #clients: Clients;
  readonly #notes: Notes;

  constructor(bench: Bench, model: Model, clients: Clients, notes: Notes) {
    this.#bench = bench;
    this.#model = model;
    this.#clients = clients;
    this.#notes = notes;
  }

  /** Notes every difference as a fault. */
  check(): void {
    const [model, bench] = [this.#model, this.#bench];
    const { relay } = bench;
    const counts = relay.counts();
    const members = [...model.members()];
    this.#same('connections', counts.connections, this.#clients.byConnection.size);
    this.#same('participants', counts.participants, members.length);
    const unlisted = members.filter(({ listing }) => listing === 'unlisted');
    this.#same('unlisted', counts.unlisted, unlisted.length);
    this.#same('away', counts.away, members.filter(({ connection }) => connection === null).length);
    this.#same('lobbies', counts.lobbies, model.lobbies.size);
    const hearing = [...model.lobbies.values()].map((lobby) => lobby.hearing);
    const sets = hearing.reduce((sum, it) => sum + it.sets.size, 0);
    const entries = hearing.reduce((sum, it) => sum + it.entries, 0);
    this.#same('hearing sets', [counts.hearingSets, counts.hearingEntries], [sets, entries]);
    this.#same('sanctions', counts.sanctions, model.sanctions.byKey.size);
    for (const { lobby, steamId, by, ...holds } of relay.sanctions()) {
      const key = keyOf(lobby, steamId);
      this.#same(`sanctions of ${steamId}`, holds, model.sanctions.byKey.get(key));
      this.#same(`who sanctioned ${steamId}`, by, model.sanctions.setBy.get(key)?.by);
      const { muted, deafened, banned } = this.#clients.kept.get(key) ?? {};
      const kept = { muted: this.#left(muted), deafened: this.#left(deafened), banned: this.#left(banned) };
      this.#same(`what is kept of ${steamId}`, kept, holds);
    }
    const keptAndHolding = [...this.#clients.kept.values()].filter((it) => holdsAny(it, bench.unixSeconds));
    this.#same('what is kept', keptAndHolding.length, counts.sanctions);
    const byModerators = [...model.sanctions.setBy.values()].filter(({ by }) => by !== 'admin').length;
    this.#same('sanctions by moderators', counts.sanctionsByModerators, byModerators);
    for (const lobby of model.lobbies.values()) this.#checkLobby(lobby);
    for (const [connection, { topics, belief, losses, connectedAt }] of this.#clients.byConnection) {
      for (const fault of belief.faults) this.#notes.fault(`${connection}: ${fault}`);
      const { lobby, steamId } = belief;
      const member = model.byConnection.get(connection);
      const ownerSteamId = member?.ownerSteamId ?? null;
      if (lobby !== null && steamId !== null && model.holdsFor('banned', lobby, { steamId, ownerSteamId })) {
        this.#notes.fault(`${steamId} is banned and in`);
      }
      if (!member) {
        if (belief.slot !== null) this.#notes.fault(`${connection} believes to be in a lobby`);
        if (bench.now - connectedAt >= bench.relay.limits.helloWithinMs)
          this.#notes.fault(`${connection} waits forever`);
        if (topics.size > 0) this.#notes.fault(`${connection} is in no lobby and hears ${[...topics]}`);
        continue;
      }
      const audible = model.topicsOf(member);
      if (sorted(topics) !== sorted(audible))
        this.#notes.fault(`${connection} hears ${[...topics]}, expected ${audible}`);
      this.#same(`whether ${connection} is parked`, belief.isParked, member.reading?.isParked ?? false);
      this.#checkBelief(member, belief);
      this.#checkLosses(member, losses);
    }
  }

  /** A file keeps sanctions for a day after they have ended. */
  #left(until: Until = 'not'): Until {
    return typeof until === 'number' && until <= this.#bench.unixSeconds ? 'not' : until;
  }

  #checkLobby(lobby: ModelLobby): void {
    const state = this.#bench.relay.lobby(lobby.name);
    const members = [...lobby.members.values()];
    const wanted = members.map((member) => {
      const whispers = [...member.whispers].map(({ slot }) => slot);
      return `${this.#stateOf(member)} > ${member.speakingTo} ~ ${sorted(whispers)}`;
    });
    const everyone = [...(state?.members ?? []), ...(this.#bench.relay.unlisted(lobby.name) ?? [])];
    this.#same(`the number in ${lobby.name}`, state?.participants, members.length);
    const found = everyone.map((it) => `${stateKey(it)} > ${it.speakingTo} ~ ${sorted(it.whisperTo)}`);
    this.#same(`lobby ${lobby.name}`, found.sort().join(', '), wanted.sort().join(', '));
    const channels = state?.channels.map(({ number, name }) => `${number} ${name}`).sort();
    this.#same(`channels of ${lobby.name}`, channels?.join(), channelsOf(lobby));
  }

  #checkBelief(member: Member, belief: Belief): void {
    const { lobby } = member;
    const who = member.steamId;
    if (belief.you !== this.#stateOf(member)) this.#notes.fault(`${who} believes to be ${belief.you}`);
    if (belief.unlisted !== member.headcount)
      this.#notes.fault(`${who} believes in ${belief.unlisted} unlisted, expected ${member.headcount}`);
    const shown = [...lobby.members.values()].filter((it) => it !== member && it.listing !== 'unlisted');
    if (belief.others.size !== shown.length)
      this.#notes.fault(`${who} believes in ${belief.others.size} others`);
    for (const other of shown) {
      const believed = belief.others.get(other.slot);
      const state = this.#stateOf(other);
      if (believed?.state !== state)
        this.#notes.fault(`${who} believes ${believed?.state}, expected ${state}`);
      const speaks =
        other.speakingTo !== null && this.#model.reached(other, other.speakingTo).includes(member);
      if (believed && believed.speaking !== speaks)
        this.#notes.fault(`${who} believes ${state} speaks: ${!speaks}`);
    }
    const heard = this.#model.heardOf(member)?.map(({ slot }) => slot);
    this.#same(
      `whom ${who} believes to hear`,
      belief.heard && sorted(belief.heard),
      heard ? sorted(heard) : null,
    );
    const channels = [...belief.channels].map(([number, name]) => `${number} ${name}`).sort();
    this.#same(`channels that ${who} believes in`, channels.join(), channelsOf(lobby));
  }

  /** Frames may be lost unseen only where a later one of the same stream can still show it. */
  #checkLosses(listener: Member, { unseen }: Losses): void {
    for (const [slot, target] of unseen()) {
      const speaker = [...listener.lobby.members.values()].find((it) => it.slot === slot);
      if (!speaker || !this.#model.hears(listener, speaker, target)) {
        this.#notes.fault(`${listener.steamId} was not told what it missed of slot ${slot} to ${target}`);
      }
    }
  }

  /** Their state as messages should describe it. */
  #stateOf(member: Member): string {
    const { slot, steamId, name, lobby, rights, kind, listing, recording } = member;
    return stateKey({
      slot,
      steamId,
      name,
      channels: [...member.channels].map((it) => lobby.channels.get(it)!.number),
      muted: this.#model.isMuted(member),
      deafened: this.#model.isDeafened(member),
      away: member.connection === null,
      priority: member.priority,
      moderator: rights.moderator,
      guest: kind === 'guest',
      spectator: !rights.maySpeak,
      unlisted: listing === 'unlisted',
      ...(recording && { recordingSince: 0 }),
    });
  }

  #same(what: string, found: unknown, wanted: unknown): void {
    if (found === wanted) return;
    const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (one !== other) this.#notes.fault(`${what}: ${one}, expected ${other}`);
  }
}

/** A key for a set. */
export const sorted = (items: Iterable<string | number>): string => {
  const list = [...items];
  return list.length > 1 ? list.sort().join() : String(list[0] ?? '');
};

const channelsOf = ({ channels }: ModelLobby): string =>
  [...channels]
    .map(([name, { number }]) => `${number} ${name}`)
    .sort()
    .join();
