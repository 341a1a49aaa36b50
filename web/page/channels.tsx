/** The lobby's channels: which we are in, and to whom we speak. */

import { useState } from 'preact/hooks';
import type { LobbySnapshot, ToWorker } from '../worker/messages.js';
import type { Words } from './words.js';

interface ChannelsProps {
  readonly lobby: LobbySnapshot;
  readonly words: Words;
  readonly onAction: (message: Extract<ToWorker, { kind: 'enter' | 'speak-to' }>) => void;
}

export function Channels({ lobby, words, onAction }: ChannelsProps) {
  const [name, setName] = useState('');
  const [target, setTarget] = useState('lobby');
  const { you, channels } = lobby;
  // A guest cannot enter channels.
  if (you.guest && channels.length === 0) return null;
  const enter = (changed: readonly string[]) => onAction({ kind: 'enter', channels: changed });
  const speakTo = (value: string) => {
    setTarget(value);
    onAction({
      kind: 'speak-to',
      target: value === 'lobby' || value === 'whisper' ? value : { channel: value.slice(1) },
    });
  };
  return (
    <details class="channels">
      <summary>{words.channels}</summary>
      <label>
        {words.speakTo}
        <select value={target} onChange={(event) => speakTo(event.currentTarget.value)}>
          <option value="lobby">{words.toLobby}</option>
          <option value="whisper">{words.toWhisper}</option>
          {you.channels.map((channel) => (
            <option key={channel} value={`#${channel}`}>
              #{channel}
            </option>
          ))}
        </select>
      </label>
      <ul>
        {channels.map((channel) => {
          const isIn = you.channels.includes(channel);
          const changed = isIn
            ? you.channels.filter((other) => other !== channel)
            : [...you.channels, channel];
          return (
            <li key={channel}>
              #{channel}
              {!you.guest && (
                <button type="button" onClick={() => enter(changed)}>
                  {isIn ? words.exit : words.enter}
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {!you.guest && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() !== '') enter([...you.channels, name.trim()]);
            setName('');
          }}
        >
          <label>
            {words.newChannel}
            <input value={name} maxLength={64} onInput={(event) => setName(event.currentTarget.value)} />
          </label>
          <button type="submit">{words.enter}</button>
        </form>
      )}
    </details>
  );
}
