/** Which of the page's three screens is shown, and what they share. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { listDevices } from '../sound/sound.js';
import { Call, type CallState, type PageAssets } from './call.js';
import { JoinForm } from './join_form.js';
import type { Invitation } from './link.js';
import { LobbyScreen } from './lobby_screen.js';
import { keepPreferences, loadPreferences, type Preferences } from './preferences.js';
import { type Words, wordsForFailure } from './words.js';

export type Devices = Awaited<ReturnType<typeof listDevices>>;

/** Endings after which it is tried again, by itself. */
const LOST = ['ERR_HOTMIC_CONNECTION_LOST', 'ERR_HOTMIC_CONNECT'];
const WAIT_MS = 1000;
const MAX_WAIT_MS = 10_000;
/** About five minutes. */
const MAX_ATTEMPTS = 30;

interface AppProps {
  readonly assets: PageAssets;
  readonly invitation: Invitation;
  readonly words: Words;
}

export function App({ assets, invitation, words }: AppProps) {
  const [preferences, setPreferences] = useState(loadPreferences);
  const [state, setState] = useState<CallState | null>(null);
  const [devices, setDevices] = useState<Devices>({ inputs: [], outputs: [] });
  const [who, setWho] = useState({ name: invitation.name || preferences.name, lobby: invitation.lobby });
  const call = useRef<Call | null>(null);

  const prefer = useCallback((changed: Partial<Preferences>) => {
    setPreferences((before) => {
      const after = { ...before, ...changed };
      keepPreferences(after);
      call.current?.prefer(after);
      return after;
    });
  }, []);

  const join = (name: string, lobby: string) => {
    setWho({ name, lobby });
    prefer({ name });
    call.current = new Call(
      assets,
      { ...invitation, name, lobby },
      { ...preferences, name },
      {
        onChange: setState,
        onBlocked: (blocked) => prefer({ blocked }),
        onDevices: () => void listDevices().then(setDevices),
      },
    );
    setState(call.current.state);
  };

  // A guest has no place that is kept: they join again. So does whoever was away for longer.
  const attempts = useRef(0);
  useEffect(() => {
    if (state?.phase === 'in') attempts.current = 0;
    const isLost = state?.phase === 'over' && state.failure !== null && LOST.includes(state.failure.code);
    const mayRetry = attempts.current > 0 || state?.lobby !== null;
    if (!isLost || !mayRetry || attempts.current >= MAX_ATTEMPTS) return;
    attempts.current += 1;
    const timer = setTimeout(
      () => join(who.name, who.lobby),
      Math.min(MAX_WAIT_MS, WAIT_MS * attempts.current),
    );
    return () => clearTimeout(timer);
  }, [state?.phase]);

  // A closed page says goodbye.
  useEffect(() => {
    const leave = () => call.current?.leave();
    addEventListener('pagehide', leave);
    return () => removeEventListener('pagehide', leave);
  }, []);

  if (state?.phase === 'in' && state.lobby && call.current)
    return (
      <LobbyScreen
        {...{
          call: call.current,
          state,
          lobby: state.lobby,
          name: who.lobby,
          words,
          preferences,
          prefer,
          devices,
        }}
      />
    );
  const why =
    state?.phase !== 'over' ? null : state.failure ? wordsForFailure(words, state.failure) : words.told.left;
  return (
    <JoinForm
      {...{ words, who, why }}
      isInvited={invitation.token !== null}
      entry={assets.relay.entry}
      isJoining={state?.phase === 'joining' || state?.phase === 'in'}
      onJoin={join}
    />
  );
}
