/** The big button: hold it, or Space, to talk. With voice activation it only shows what happens. */

import { useEffect, useMemo } from 'preact/hooks';
import type { LobbySnapshot } from '../worker/messages.js';
import type { Call, CallState } from './call.js';
import { MicrophoneIcon, MicrophoneOffIcon } from './icons.js';
import { TalkKeys, takesSpace } from './talk_keys.js';
import type { Words } from './words.js';

interface TalkButtonProps {
  readonly call: Call;
  readonly state: CallState;
  readonly lobby: LobbySnapshot;
  readonly words: Words;
}

/** The ring around the button shows from here on, in dBFS. */
const QUIET_DB = -60;

export function TalkButton({ call, state, lobby, words }: TalkButtonProps) {
  const keys = useMemo(
    () => new TalkKeys((isDown) => call.do({ kind: isDown ? 'press' : 'release' })),
    [call],
  );
  const isKey = lobby.talkMode === 'push-to-talk';
  const canTalk = lobby.maySpeak && !lobby.isMuted && state.microphone === 'open';
  const usesKeys = isKey && canTalk;
  useEffect(() => {
    if (!usesKeys) return;
    return listen(keys);
  }, [keys, usesKeys]);
  const loud = lobby.isLive ? Math.max(0, Math.min(1, (state.mine - QUIET_DB) / -QUIET_DB)) : 0;
  const label = !lobby.maySpeak
    ? words.mayNotSpeak
    : lobby.isMuted
      ? words.youAreMuted
      : state.microphone !== 'open'
        ? words.noMicrophone
        : lobby.isLive
          ? words.youAreLive
          : isKey
            ? words.holdToTalk
            : words.voiceActivated;
  return (
    <button
      type="button"
      class={`talk${lobby.isLive ? ' live' : ''}`}
      style={{ '--loud': loud.toFixed(2) }}
      disabled={!canTalk}
      aria-pressed={lobby.isLive}
      onPointerDown={(event) => {
        if (!isKey || event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        keys.hold('pointer');
      }}
      onPointerUp={() => keys.letGo('pointer')}
      onPointerCancel={() => keys.letGo('pointer')}
      onLostPointerCapture={() => keys.letGo('pointer')}
      onContextMenu={(event) => event.preventDefault()}
    >
      {canTalk ? <MicrophoneIcon /> : <MicrophoneOffIcon />}
      <span class="label">{label}</span>
      {usesKeys && !lobby.isLive && <kbd>{words.holdKey}</kbd>}
    </button>
  );
}

/** Follows the key, and everything that ends its hold. Returns how to stop. */
function listen(keys: TalkKeys): () => void {
  const isTalkKey = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement | null;
    const isOnTalk = target?.classList.contains('talk') ?? false;
    return (
      event.code === 'Space' &&
      !event.ctrlKey &&
      !event.altKey &&
      !event.metaKey &&
      (isOnTalk || !takesSpace(target))
    );
  };
  const down = (event: KeyboardEvent) => {
    if (!isTalkKey(event)) return;
    event.preventDefault();
    if (!event.repeat) keys.hold('key');
  };
  const up = (event: KeyboardEvent) => {
    if (event.code === 'Space') keys.letGo('key');
  };
  const away = () => keys.letGoOfAll();
  const hidden = () => {
    if (document.visibilityState === 'hidden') away();
  };
  // Behind a click the focus would stay on what was clicked, and the next Space would press that again instead of talking. A click by the keyboard or a
  // screen reader has no detail, and keeps its focus.
  const clicked = (event: MouseEvent) => {
    const button = (event.target as HTMLElement | null)?.closest<HTMLElement>('button, summary');
    if (event.detail > 0) button?.blur();
  };
  addEventListener('keydown', down);
  addEventListener('click', clicked);
  addEventListener('keyup', up);
  addEventListener('blur', away);
  document.addEventListener('visibilitychange', hidden);
  return () => {
    away();
    removeEventListener('keydown', down);
    removeEventListener('click', clicked);
    removeEventListener('keyup', up);
    removeEventListener('blur', away);
    document.removeEventListener('visibilitychange', hidden);
  };
}
