/** Devices, how to talk, and what the browser does to the microphone's sound. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Devices } from './app.js';
import type { Call, CallState } from './call.js';
import type { Preferences } from './preferences.js';
import type { Words } from './words.js';

interface SettingsDialogProps {
  readonly call: Call;
  readonly state: CallState;
  readonly words: Words;
  readonly preferences: Preferences;
  readonly prefer: (changed: Partial<Preferences>) => void;
  readonly devices: Devices;
  readonly onClose: () => void;
}

const SILENCE_DB = -60;

export function SettingsDialog({
  call,
  state,
  words,
  preferences,
  prefer,
  devices,
  onClose,
}: SettingsDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [hears, setHears] = useState(false);
  useEffect(() => {
    dialog.current?.showModal();
    return () => call.hearYourself(false);
  }, [call]);
  const toggle = (
    name: 'echoCancellation' | 'noiseSuppression' | 'autoGainControl' | 'strongNoise',
    label: string,
  ) => (
    <label class="switch">
      <input
        type="checkbox"
        checked={preferences[name]}
        onChange={() => prefer({ [name]: !preferences[name] })}
      />
      {label}
    </label>
  );
  const choice = (
    label: string,
    value: string,
    infos: readonly MediaDeviceInfo[],
    choose: (id: string) => void,
  ) => (
    <label>
      {label}
      <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">{words.systemDefault}</option>
        {infos.map(({ deviceId, label: name }) => (
          <option key={deviceId} value={deviceId}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <dialog ref={dialog} class="settings" aria-label={words.settings} onClose={onClose}>
      <h2>{words.settings}</h2>
      {choice(words.microphone, preferences.inputId, devices.inputs, (inputId) => prefer({ inputId }))}
      <meter
        class="level"
        aria-label={words.microphone}
        min={SILENCE_DB}
        max={0}
        value={Math.max(SILENCE_DB, state.mine)}
      />
      <label class="switch">
        <input
          type="checkbox"
          checked={hears}
          disabled={state.microphone !== 'open'}
          onChange={() => {
            call.hearYourself(!hears);
            setHears(!hears);
          }}
        />
        {words.hearYourself}
      </label>
      {hears && <p class="small">{words.hearYourselfHint}</p>}
      {call.canChooseOutput &&
        choice(words.speaker, preferences.outputId, devices.outputs, (outputId) => prefer({ outputId }))}
      <label>
        {words.talkMode}
        <select
          value={preferences.talkMode}
          onChange={(event) => prefer({ talkMode: event.currentTarget.value as Preferences['talkMode'] })}
        >
          <option value="push-to-talk">{words.pushToTalk}</option>
          <option value="voice-activation">{words.voiceActivation}</option>
        </select>
      </label>
      {toggle('echoCancellation', words.echoCancellation)}
      {toggle('noiseSuppression', words.noiseSuppression)}
      {toggle('autoGainControl', words.gainControl)}
      {toggle('strongNoise', words.strongNoise)}
      <p class="small">{words.strongNoiseCost}</p>
      <form method="dialog">
        <button type="submit" class="primary">
          {words.close}
        </button>
      </form>
    </dialog>
  );
}
