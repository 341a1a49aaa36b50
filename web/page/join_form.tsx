/** Who joins which lobby. */

import { useState } from 'preact/hooks';
import type { PageAssets } from './call.js';
import { Mark } from './icons.js';
import type { Words } from './words.js';

interface JoinFormProps {
  readonly words: Words;
  readonly who: { readonly name: string; readonly lobby: string };
  /** Why the last call is over, in words. */
  readonly why: string | null;
  readonly isInvited: boolean;
  readonly entry: PageAssets['relay']['entry'];
  readonly isJoining: boolean;
  readonly onJoin: (name: string, lobby: string) => void;
}

export function JoinForm({ words, who, why, isInvited, entry, isJoining, onJoin }: JoinFormProps) {
  const [name, setName] = useState(who.name);
  const [lobby, setLobby] = useState(who.lobby);
  const submit = (event: Event) => {
    event.preventDefault();
    if (name.trim() !== '' && lobby.trim() !== '') onJoin(name.trim(), lobby.trim());
  };
  return (
    <main class="door">
      <form class="card" onSubmit={submit}>
        <h1>
          <Mark /> {words.title}
        </h1>
        <p class="tagline">{words.tagline}</p>
        {why !== null && (
          <p class="notice" role="alert">
            {why}
          </p>
        )}
        <label>
          {words.yourName}
          {/* The first thing to do here. */}
          <input
            name="name"
            required
            maxLength={64}
            autocomplete="nickname"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label>
          {words.lobbyName}
          <input
            name="lobby"
            required
            maxLength={64}
            readOnly={isInvited}
            value={lobby}
            onInput={(event) => setLobby(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={isJoining || (entry === 'tokens' && !isInvited)}>
          {isJoining ? words.joining : why === null ? words.join : words.again}
        </button>
        <p class="small">{isInvited ? words.invited : words.entry[entry]}</p>
      </form>
    </main>
  );
}
