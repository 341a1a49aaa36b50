/**
 * The live view of a terminal: who is here, who speaks, how loud, with which delay and loss. It is drawn ten times per second; what else
 * happens is a line above it.
 */

import type { Participant } from '../../client/session/lobby_state.js';
import type { VoiceTarget } from '../../client/session/voice_target.js';
import { printable } from '../../voice/printable.js';
import type { Milliseconds } from '../../voice/units.js';
import { dropSummary } from '../drop_summary.js';
import { memberEvents } from '../greeting.js';
import { marksOf } from '../speaker_line.js';
import { type Look, lookOf } from '../terminal/look.js';
import { openQuitKeys, type QuitKeys } from '../terminal/quit_keys.js';
import { StatusArea, type TerminalOutput } from '../terminal/status_area.js';
import { renderScreen, type ScreenPerson } from './screen.js';
import { both, type LobbyView, type Measures, soundText, type ViewOptions } from './view.js';

const REDRAW_MS: Milliseconds = 100;

/** Who spoke within this time keeps a row, so that rows do not jump between words. */
const RECENT_MS: Milliseconds = 4000;

const BY_NAME = new Intl.Collator('en', { numeric: true });

interface Person {
  participant: Participant;
  target: VoiceTarget;
  /** When they were last heard to speak; their place among the rows. */
  spokeAt: Milliseconds;
  rowSince: Milliseconds;
}

/** What it is drawn on; a test replaces it. */
export interface LiveTerminal extends TerminalOutput {
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

export class LiveView implements LobbyView {
  readonly #options: ViewOptions;
  readonly #terminal: LiveTerminal;
  readonly #area: StatusArea;
  readonly #look: Look;
  readonly #startedAt: Milliseconds;
  readonly #people = new Map<number, Person>();
  readonly #drawing: NodeJS.Timeout;
  readonly #keys: QuitKeys;
  #measures: Measures | null = null;
  #playing: string | null = null;
  /** The process is being stopped, and the terminal is the shell's. */
  #isPaused = false;
  #state: 'joining' | 'joined' | 'reconnecting' | 'ended' = 'joining';

  constructor(
    options: ViewOptions,
    terminal: LiveTerminal = process.stderr,
    look = lookOf(process.env, process.platform),
  ) {
    this.#options = options;
    this.#terminal = terminal;
    this.#area = new StatusArea(terminal);
    this.#look = look;
    this.#startedAt = options.now();
    this.#drawing = setInterval(() => this.draw(), REDRAW_MS).unref();
    terminal.on?.('resize', this.#redraw);
    process.on('SIGCONT', this.#continued);
    this.#keys = openQuitKeys(() => {
      this.#area.clear();
      this.#isPaused = true;
    });
  }

  get events() {
    const { member, lines } = this.#options;
    const print = (line: string) => this.#area.print(this.#look.outside(line));
    const told = memberEvents(member, lines, print);
    return both(told, {
      onWelcome: (lobby) => {
        this.#state = 'joined';
        for (const participant of lobby.participants) this.#show(participant);
      },
      onJoined: (participant) => this.#show(participant),
      onChanged: (participant) => this.#show(participant),
      onSpeaking: (participant) => this.#show(participant),
      onLeft: ({ slot }) => void this.#people.delete(slot),
      onReconnecting: (error) => {
        this.#state = 'reconnecting';
        told.onReconnecting(error);
      },
      onResumed: (how) => {
        this.#state = 'joined';
        told.onResumed(how);
      },
    });
  }

  heard({ slot }: Participant, target: VoiceTarget): void {
    const person = this.#people.get(slot);
    if (person) person.target = target;
  }

  measure(measures: Measures): void {
    this.#measures = measures;
  }

  sound(news: Parameters<LobbyView['sound']>[0]): void {
    this.#playing = news.kind === 'lost' ? 'no sound device' : news.device;
    if (this.#options.lines.take()) this.#area.print(`${this.#look.outside(soundText(news))}.`);
  }

  trackFailed(name: string, code: string, message: string): void {
    this.#area.print(this.#look.outside(`${printable(name)}: ${message} [${code}]`));
  }

  end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearInterval(this.#drawing);
    this.#terminal.off?.('resize', this.#redraw);
    process.off('SIGCONT', this.#continued);
    this.#keys.close();
    this.#area.clear();
  }

  dropped(counts: Readonly<Record<string, number>>): void {
    const summary = dropSummary(counts);
    if (summary) this.#terminal.write(`${summary}\n`);
  }

  /** Draws it as it is now. */
  draw(): void {
    if (this.#isPaused || (this.#state !== 'joined' && this.#state !== 'reconnecting')) return;
    const now = this.#options.now();
    const screen = {
      lobby: this.#options.member.lobby,
      elapsedMs: now - this.#startedAt,
      state: this.#state,
      doing: this.#options.doing,
      sizeBytes: this.#measures?.sizeBytes() ?? null,
      playing: this.#playing,
      people: this.#sorted(now),
    } as const;
    this.#area.show(renderScreen(screen, this.#area.columns, this.#area.rows, this.#look));
  }

  readonly #redraw = (): void => this.draw();

  readonly #continued = (): void => {
    this.#isPaused = false;
    this.#area.forget();
    this.draw();
  };

  #show(participant: Participant): void {
    const known = this.#people.get(participant.slot);
    const isSame = known?.participant.steamId === participant.steamId;
    const now = this.#options.now();
    const person = isSame
      ? known
      : { participant, target: 'lobby' as const, spokeAt: Number.NEGATIVE_INFINITY, rowSince: now };
    const was = person.participant.speaking;
    person.participant = participant;
    if (participant.speaking || was) {
      if (now - person.spokeAt > RECENT_MS) person.rowSince = now;
      person.spokeAt = now;
    }
    this.#people.set(participant.slot, person);
  }

  /** Rows in the order in which people began to speak; the others by name. */
  #sorted(now: Milliseconds): ScreenPerson[] {
    const people = [...this.#people.values()].map((person) => {
      const { slot, name, speaking } = person.participant;
      if (speaking) person.spokeAt = now;
      const recent = now - person.spokeAt <= RECENT_MS;
      const isMeasured = speaking || recent;
      const measures = isMeasured ? this.#measures : null;
      return {
        slot,
        name,
        speaking,
        recent,
        rowSince: person.rowSince,
        notes: [...(speaking ? targetNotes(person.target) : []), ...marksOf(person.participant)],
        levelDb: measures?.levelDb(slot) ?? null,
        delayMs: measures?.delayMs(slot) ?? null,
        lossShare: measures?.lossShare(slot) ?? null,
      };
    });
    return people.sort((a, b) => {
      const isActive = Number(b.speaking || b.recent) - Number(a.speaking || a.recent);
      if (isActive !== 0) return isActive;
      if (a.speaking || a.recent) return a.rowSince - b.rowSince || a.slot - b.slot;
      return BY_NAME.compare(a.name, b.name) || a.slot - b.slot;
    });
  }
}

function targetNotes(target: VoiceTarget): readonly string[] {
  if (target === 'lobby') return [];
  return target === 'whisper' ? ['whispers'] : [`to ${target.channel}`];
}
