/** What one should know now, in plain words: read out by screen readers as it changes. */

import type { LobbySnapshot } from '../worker/messages.js';
import type { CallState } from './call.js';
import type { Words } from './words.js';

interface NoticesProps {
  readonly state: CallState;
  readonly lobby: LobbySnapshot;
  readonly words: Words;
  readonly onStartSound: () => void;
}

export function Notices({ state, lobby, words, onStartSound }: NoticesProps) {
  const { told } = words;
  const recorders = lobby.people.filter(({ recording }) => recording).map(({ name }) => name);
  const { microphone } = state;
  const fault = lobby.maySpeak && microphone !== 'open' && microphone !== 'opening' ? told[microphone] : null;
  return (
    <section class="notices" aria-live="polite">
      {lobby.state === 'reconnecting' && <p class="notice bad">{told.reconnecting}</p>}
      {recorders.length > 0 && <p class="notice recording">{told.recorded(recorders.join(', '))}</p>}
      {state.sound === 'waiting' && (
        <p class="notice">
          {told.soundBlocked}{' '}
          <button type="button" class="primary" onClick={onStartSound}>
            {words.startSound}
          </button>
        </p>
      )}
      {fault !== null && <p class="notice">{fault}</p>}
      {lobby.you.muted && <p class="notice">{words.mutedByModerator}.</p>}
      {state.notice !== null && <p class="notice good">{told[state.notice]}</p>}
    </section>
  );
}
