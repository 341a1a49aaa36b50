/** One person: name, state, how loud they are, and what we can do about them. */

import { useState } from 'preact/hooks';
import type { PersonView, ToWorker } from '../worker/messages.js';
import type { Words } from './words.js';

interface PersonCardProps {
  readonly person: PersonView;
  /** In dBFS. */
  readonly level: number;
  readonly words: Words;
  readonly isYou?: boolean;
  readonly mayModerate?: boolean;
  readonly onAction?: (
    message: Extract<ToWorker, { kind: 'set' | 'block' | 'unblock' | 'moderate' | 'whisper' | 'speak-to' }>,
  ) => void;
}

const QUIET_DB = -60;
const LEAST_VOLUME_DB = -30;
const MOST_VOLUME_DB = 12;
const ACCOUNTS = 1_000_003n;
const GOLDEN_ANGLE = 137.508;

export function PersonCard({
  person,
  level,
  words,
  isYou = false,
  mayModerate = false,
  onAction,
}: PersonCardProps) {
  const [isOpen, setOpen] = useState(false);
  const { name, steamId, speaking, blocked } = person;
  const isHeard = speaking && !blocked;
  const loud = isHeard ? Math.max(0.08, Math.min(1, (level - QUIET_DB) / -QUIET_DB)) : 0;
  const face = (
    <>
      <span class="face" aria-hidden="true" style={{ '--hue': hueOf(steamId), '--loud': loud.toFixed(2) }}>
        {initialsOf(name)}
      </span>
      <span class="who">
        <span class="name">{name}</span>
        <span class="marks">{marksOf(person, words, isYou).join(' · ')}</span>
      </span>
      <span class="visually-hidden">{isHeard ? words.speaks(name) : ''}</span>
    </>
  );
  return (
    <li class={`person${isHeard ? ' speaking' : ''}${person.away ? ' away' : ''}`}>
      {isYou ? (
        <div class="row">{face}</div>
      ) : (
        <button type="button" class="row" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {face}
        </button>
      )}
      {isOpen && onAction && <PersonActions {...{ person, words, mayModerate, onAction }} />}
    </li>
  );
}

type ActionsProps = Required<Pick<PersonCardProps, 'person' | 'words' | 'mayModerate' | 'onAction'>>;

function PersonActions({ person, words, mayModerate, onAction }: ActionsProps) {
  const { steamId, name, blocked, silenced, volumeDb, muted } = person;
  return (
    <div class="actions">
      <label>
        <span class="visually-hidden">{words.volumeOf(name)}</span>
        <input
          type="range"
          min={LEAST_VOLUME_DB}
          max={MOST_VOLUME_DB}
          value={volumeDb}
          onInput={(event) =>
            onAction({ kind: 'set', steamId, settings: { volumeDb: Number(event.currentTarget.value) } })
          }
        />
        <output>{volumeDb > 0 ? `+${volumeDb}` : volumeDb} dB</output>
      </label>
      <div class="buttons">
        <button
          type="button"
          aria-pressed={silenced}
          onClick={() =>
            onAction({ kind: 'set', steamId, settings: { muted: silenced ? 'heard' : 'muted' } })
          }
        >
          {silenced ? words.unsilence : words.silence}
        </button>
        <button
          type="button"
          aria-pressed={blocked}
          onClick={() => onAction({ kind: blocked ? 'unblock' : 'block', steamId })}
        >
          {blocked ? words.unblock : words.block}
        </button>
        <button
          type="button"
          onClick={() => {
            onAction({ kind: 'whisper', steamIds: [steamId] });
            onAction({ kind: 'speak-to', target: 'whisper' });
          }}
        >
          {words.whisper}
        </button>
        {mayModerate && (
          <>
            <button
              type="button"
              onClick={() => onAction({ kind: 'moderate', steamId, action: muted ? 'unmute' : 'mute' })}
            >
              {muted ? words.unmuteForAll : words.muteForAll}
            </button>
            <button
              type="button"
              class="danger"
              onClick={() => onAction({ kind: 'moderate', steamId, action: 'kick' })}
            >
              {words.kick}
            </button>
          </>
        )}
      </div>
    </div>
  );
}

function marksOf(person: PersonView, words: Words, isYou: boolean): string[] {
  const { away, muted, blocked, silenced, recording, moderator, spectator, channels } = person;
  return [
    ...(isYou ? [words.you] : []),
    ...(moderator ? [words.moderator] : []),
    ...(spectator ? [words.listensOnly] : []),
    ...(away ? [words.away] : []),
    ...(muted || silenced ? [words.muted] : []),
    ...(blocked ? [words.blocked] : []),
    ...(recording ? [words.records] : []),
    ...channels.map((channel) => `#${channel}`),
  ];
}

/** The first characters of the first two words. */
function initialsOf(name: string): string {
  const initials = name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? '');
  return initials.join('').toUpperCase();
}

/** The same colour for the same person everywhere, and far apart for accounts that are close. */
function hueOf(steamId: string): number {
  return Math.round((Number(BigInt(steamId) % ACCOUNTS) * GOLDEN_ANGLE) % 360);
}
