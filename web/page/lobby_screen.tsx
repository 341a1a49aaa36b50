/** The lobby: who is here, the button to talk, and what is going on. */

import { useEffect, useState } from 'preact/hooks';
import type { LobbySnapshot } from '../worker/messages.js';
import type { Devices } from './app.js';
import type { Call, CallState } from './call.js';
import { Channels } from './channels.js';
import { GearIcon, LeaveIcon, LinkIcon, Mark, MicrophoneIcon, MicrophoneOffIcon } from './icons.js';
import { linkTo } from './link.js';
import { NetworkGraph } from './network_graph.js';
import { Notices } from './notices.js';
import { PersonCard } from './person_card.js';
import type { Preferences } from './preferences.js';
import { SettingsDialog } from './settings_dialog.js';
import { TalkButton } from './talk_button.js';
import type { Words } from './words.js';

interface LobbyScreenProps {
  readonly call: Call;
  readonly state: CallState;
  readonly lobby: LobbySnapshot;
  readonly name: string;
  readonly words: Words;
  readonly preferences: Preferences;
  readonly prefer: (changed: Partial<Preferences>) => void;
  readonly devices: Devices;
}

/** How long a copied link is confirmed. */
const COPIED_MS = 2000;

export function LobbyScreen({
  call,
  state,
  lobby,
  name,
  words,
  preferences,
  prefer,
  devices,
}: LobbyScreenProps) {
  const [isCopied, setCopied] = useState(false);
  const [areSettingsOpen, setSettingsOpen] = useState(false);
  const { you, people } = lobby;
  const copy = () => {
    void navigator.clipboard?.writeText(linkTo(location.href, name)).then(() => setCopied(true));
  };
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  useWakeLock();
  return (
    <div class="lobby">
      <header>
        <h1>
          <Mark />
          <span class="lobby-name">{name}</span>
        </h1>
        <p class="small">
          {words.people(people.length + 1)}
          {lobby.unlisted > 0 && ` ${words.listeners(lobby.unlisted)}`}
        </p>
        <button type="button" class="quiet" onClick={copy}>
          <LinkIcon /> <span aria-live="polite">{isCopied ? words.copied : words.copyLink}</span>
        </button>
      </header>

      <Notices {...{ state, lobby, words }} onStartSound={() => call.resumeSound()} />

      <main>
        <ul class="people">
          <PersonCard person={you} level={lobby.isLive ? state.mine : -96} words={words} isYou />
          {people.map((person) => (
            <PersonCard
              key={person.steamId}
              {...{ person, words }}
              level={state.levels[person.steamId] ?? -96}
              onAction={(message) => call.do(message)}
              mayModerate={you.moderator}
            />
          ))}
        </ul>
        {people.length === 0 && <p class="hint">{words.alone}</p>}
        <Channels {...{ lobby, words }} onAction={(message) => call.do(message)} />
      </main>

      <footer>
        <NetworkGraph samples={state.network} words={words} />
        <TalkButton {...{ call, state, lobby, words }} />
        <div class="tools">
          {lobby.maySpeak && (
            <button
              type="button"
              class={lobby.isMuted ? 'tool on' : 'tool'}
              aria-pressed={lobby.isMuted}
              onClick={() => call.do({ kind: lobby.isMuted ? 'unmute' : 'mute' })}
            >
              {lobby.isMuted ? <MicrophoneOffIcon /> : <MicrophoneIcon />}
              <span>{lobby.isMuted ? words.unmute : words.mute}</span>
            </button>
          )}
          <button type="button" class="tool" onClick={() => setSettingsOpen(true)}>
            <GearIcon /> <span>{words.settings}</span>
          </button>
          <button type="button" class="tool" onClick={() => call.leave()}>
            <LeaveIcon /> <span>{words.leave}</span>
          </button>
        </div>
      </footer>
      {areSettingsOpen && (
        <SettingsDialog
          {...{ call, state, words, preferences, prefer, devices }}
          onClose={() => setSettingsOpen(false)}
        />
      )}
    </div>
  );
}

/** A phone stays awake in a lobby, where its browser can do that. */
function useWakeLock(): void {
  useEffect(() => {
    let lock: { release(): Promise<void> } | null = null;
    const take = async () => {
      if (document.visibilityState !== 'visible') return;
      // The battery is low, or the browser does not allow it.
      lock = (await navigator.wakeLock?.request('screen').catch(() => null)) ?? null;
    };
    void take();
    document.addEventListener('visibilitychange', take);
    return () => {
      document.removeEventListener('visibilitychange', take);
      void lock?.release();
    };
  }, []);
}
