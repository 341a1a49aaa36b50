/** Everything that the page says, in each of its languages. A language has every key, which the compiler checks. */

export interface Words {
  readonly title: string;
  readonly tagline: string;
  readonly yourName: string;
  readonly lobbyName: string;
  readonly join: string;
  readonly joining: string;
  readonly invited: string;
  /** What one needs to join without an invitation. */
  readonly entry: Readonly<Record<'anyone' | 'guests' | 'listeners' | 'tokens', string>>;
  readonly holdToTalk: string;
  readonly holdKey: string;
  readonly youAreLive: string;
  readonly youAreMuted: string;
  readonly mutedByModerator: string;
  readonly voiceActivated: string;
  readonly mayNotSpeak: string;
  readonly noMicrophone: string;
  readonly mute: string;
  readonly unmute: string;
  readonly settings: string;
  readonly leave: string;
  readonly close: string;
  readonly copyLink: string;
  readonly copied: string;
  readonly you: string;
  readonly people: (count: number) => string;
  readonly alone: string;
  readonly listeners: (count: number) => string;
  readonly speaks: (name: string) => string;
  readonly volumeOf: (name: string) => string;
  readonly silence: string;
  readonly unsilence: string;
  readonly block: string;
  readonly unblock: string;
  readonly whisper: string;
  readonly muteForAll: string;
  readonly unmuteForAll: string;
  readonly kick: string;
  readonly away: string;
  readonly muted: string;
  readonly blocked: string;
  readonly guest: string;
  readonly moderator: string;
  readonly listensOnly: string;
  readonly records: string;
  readonly speakTo: string;
  readonly toLobby: string;
  readonly toWhisper: string;
  readonly channels: string;
  readonly newChannel: string;
  readonly enter: string;
  readonly exit: string;
  readonly microphone: string;
  readonly speaker: string;
  readonly systemDefault: string;
  readonly talkMode: string;
  readonly pushToTalk: string;
  readonly voiceActivation: string;
  readonly echoCancellation: string;
  readonly noiseSuppression: string;
  readonly gainControl: string;
  readonly strongNoise: string;
  readonly strongNoiseCost: string;
  readonly hearYourself: string;
  readonly hearYourselfHint: string;
  readonly network: string;
  readonly delay: string;
  readonly jitter: string;
  readonly loss: string;
  readonly nobodySpoke: string;
  readonly startSound: string;
  readonly again: string;
  readonly told: {
    readonly refused: string;
    readonly missing: string;
    readonly busy: string;
    readonly unplugged: string;
    readonly insecure: string;
    readonly soundBlocked: string;
    readonly slept: string;
    readonly reconnecting: string;
    readonly resumed: string;
    readonly draining: string;
    readonly moving: string;
    readonly behind: string;
    readonly recorded: (names: string) => string;
    readonly left: string;
    readonly noRelay: string;
    readonly elsewhere: string;
    readonly kicked: string;
    readonly banned: string;
    readonly tokenBad: string;
    readonly lobbyFull: string;
    readonly ended: (why: string) => string;
    readonly notDone: string;
    readonly limitReached: string;
  };
}

const en: Words = {
  title: 'Hotmic',
  tagline: 'Voice for your lobby. Hold a key, talk.',
  yourName: 'Your name',
  lobbyName: 'Lobby',
  join: 'Join',
  joining: 'Joining …',
  invited: 'You were invited by a link.',
  entry: {
    anyone: 'No account needed. This relay is for development.',
    guests: 'No account needed.',
    listeners: 'Without an invitation you can listen.',
    tokens: 'Only with an invitation: a link from the game.',
  },
  holdToTalk: 'Hold to talk',
  holdKey: 'Space',
  youAreLive: 'You are live',
  youAreMuted: 'You are muted',
  mutedByModerator: 'A moderator has muted you',
  voiceActivated: 'Just speak',
  mayNotSpeak: 'You may listen here',
  noMicrophone: 'No microphone',
  mute: 'Mute',
  unmute: 'Unmute',
  settings: 'Settings',
  leave: 'Leave',
  close: 'Close',
  copyLink: 'Copy link',
  copied: 'Copied',
  you: 'you',
  people: (count) => (count === 1 ? '1 person' : `${count} people`),
  alone: 'Nobody else is here yet. Send them the link.',
  listeners: (count) => (count === 1 ? 'and 1 listener' : `and ${count} listeners`),
  speaks: (name) => `${name} speaks`,
  volumeOf: (name) => `Volume of ${name}`,
  silence: 'Mute for me',
  unsilence: 'Hear again',
  block: 'Block',
  unblock: 'Unblock',
  whisper: 'Whisper',
  muteForAll: 'Mute for all',
  unmuteForAll: 'Unmute for all',
  kick: 'Kick',
  away: 'away',
  muted: 'muted',
  blocked: 'blocked',
  guest: 'guest',
  moderator: 'moderator',
  listensOnly: 'listens',
  records: 'records',
  speakTo: 'Speak to',
  toLobby: 'Everyone',
  toWhisper: 'Whisper',
  channels: 'Channels',
  newChannel: 'New channel',
  enter: 'Enter',
  exit: 'Leave',
  microphone: 'Microphone',
  speaker: 'Speaker',
  systemDefault: 'Default',
  talkMode: 'How you talk',
  pushToTalk: 'Hold a key',
  voiceActivation: 'Voice activation',
  echoCancellation: 'Echo cancellation',
  noiseSuppression: 'Noise suppression',
  gainControl: 'Automatic gain',
  strongNoise: 'Second noise suppression',
  strongNoiseCost: 'Loads 150 kB, delays your voice by 6 ms.',
  hearYourself: 'Hear yourself',
  hearYourselfHint: 'You hear yourself after a second. Nobody else does.',
  network: 'Network',
  delay: 'delay',
  jitter: 'jitter',
  loss: 'loss',
  nobodySpoke: 'Shown while somebody speaks',
  startSound: 'Start sound',
  again: 'Join again',
  told: {
    refused:
      'The browser does not let this page use the microphone. Allow it in the address bar. You can listen meanwhile.',
    missing:
      'There is no microphone. Plug one in, or choose another in the settings. You can listen meanwhile.',
    busy: 'Another program holds the microphone. Close that, or choose another one.',
    unplugged: 'The microphone is gone. Plug it in again, or choose another one.',
    insecure: 'Microphones work on HTTPS pages and on localhost alone. Here you can listen.',
    soundBlocked: 'The browser waits for a click before it plays sound.',
    slept: 'This device was asleep. You are back.',
    reconnecting: 'The connection is lost. Trying to come back …',
    resumed: 'You are back.',
    draining: 'This relay will restart soon. You will be back by yourself.',
    moving: 'This relay will restart soon. You will move to another one.',
    behind: 'Your network stood still. What was old is left out.',
    recorded: (names) => `What is said here is recorded by ${names}.`,
    left: 'You have left.',
    noRelay: 'The relay cannot be reached. Is it running?',
    elsewhere: 'You have joined elsewhere, so this page has left.',
    kicked: 'A moderator has put you out.',
    banned: 'You are banned from this lobby.',
    tokenBad: 'This invitation is not valid any more. Ask for another one.',
    lobbyFull: 'The lobby is full.',
    ended: (why) => `It is over: ${why}`,
    notDone: 'The relay did not allow that.',
    limitReached: 'That was too often. Wait a moment.',
  },
};

const de: Words = {
  title: 'Hotmic',
  tagline: 'Sprache für deine Lobby. Taste halten, reden.',
  yourName: 'Dein Name',
  lobbyName: 'Lobby',
  join: 'Beitreten',
  joining: 'Trete bei …',
  invited: 'Du wurdest mit einem Link eingeladen.',
  entry: {
    anyone: 'Ohne Konto. Dieses Relay ist für die Entwicklung.',
    guests: 'Ohne Konto.',
    listeners: 'Ohne Einladung kannst du zuhören.',
    tokens: 'Nur mit Einladung: einem Link aus dem Spiel.',
  },
  holdToTalk: 'Zum Reden halten',
  holdKey: 'Leertaste',
  youAreLive: 'Man hört dich',
  youAreMuted: 'Du bist stumm',
  mutedByModerator: 'Die Moderation hat dich stummgeschaltet',
  voiceActivated: 'Einfach sprechen',
  mayNotSpeak: 'Hier darfst du zuhören',
  noMicrophone: 'Kein Mikrofon',
  mute: 'Stummschalten',
  unmute: 'Wieder sprechen',
  settings: 'Einstellungen',
  leave: 'Verlassen',
  close: 'Schließen',
  copyLink: 'Link kopieren',
  copied: 'Kopiert',
  you: 'du',
  people: (count) => (count === 1 ? '1 Person' : `${count} Personen`),
  alone: 'Noch ist niemand sonst hier. Schick ihnen den Link.',
  listeners: (count) => (count === 1 ? 'und 1 Person hört zu' : `und ${count} hören zu`),
  speaks: (name) => `${name} spricht`,
  volumeOf: (name) => `Lautstärke von ${name}`,
  silence: 'Für mich stumm',
  unsilence: 'Wieder hören',
  block: 'Blockieren',
  unblock: 'Nicht mehr blockieren',
  whisper: 'Flüstern',
  muteForAll: 'Für alle stumm',
  unmuteForAll: 'Für alle hörbar',
  kick: 'Hinauswerfen',
  away: 'abwesend',
  muted: 'stumm',
  blocked: 'blockiert',
  guest: 'Gast',
  moderator: 'Moderation',
  listensOnly: 'hört zu',
  records: 'nimmt auf',
  speakTo: 'Sprechen zu',
  toLobby: 'Allen',
  toWhisper: 'Flüstern',
  channels: 'Kanäle',
  newChannel: 'Neuer Kanal',
  enter: 'Betreten',
  exit: 'Verlassen',
  microphone: 'Mikrofon',
  speaker: 'Lautsprecher',
  systemDefault: 'Standard',
  talkMode: 'Wie du sprichst',
  pushToTalk: 'Taste halten',
  voiceActivation: 'Sprachaktivierung',
  echoCancellation: 'Echounterdrückung',
  noiseSuppression: 'Rauschunterdrückung',
  gainControl: 'Automatische Verstärkung',
  strongNoise: 'Zweite Rauschunterdrückung',
  strongNoiseCost: 'Lädt 150 kB, verzögert deine Stimme um 6 ms.',
  hearYourself: 'Dich selbst hören',
  hearYourselfHint: 'Du hörst dich nach einer Sekunde. Sonst hört dich niemand.',
  network: 'Netz',
  delay: 'Verzögerung',
  jitter: 'Schwankung',
  loss: 'Verlust',
  nobodySpoke: 'Sichtbar, sobald jemand spricht',
  startSound: 'Ton starten',
  again: 'Wieder beitreten',
  told: {
    refused:
      'Der Browser lässt diese Seite nicht ans Mikrofon. Erlaube es in der Adresszeile. Zuhören kannst du schon.',
    missing: 'Es gibt kein Mikrofon. Schließe eines an oder wähle ein anderes. Zuhören kannst du schon.',
    busy: 'Ein anderes Programm hält das Mikrofon. Schließe es oder wähle ein anderes.',
    unplugged: 'Das Mikrofon ist weg. Schließe es wieder an oder wähle ein anderes.',
    insecure: 'Mikrofone gehen nur auf HTTPS-Seiten und auf localhost. Hier kannst du zuhören.',
    soundBlocked: 'Der Browser wartet auf einen Klick, bevor er Ton abspielt.',
    slept: 'Dieses Gerät hat geschlafen. Du bist wieder da.',
    reconnecting: 'Die Verbindung ist weg. Ich versuche zurückzukommen …',
    resumed: 'Du bist wieder da.',
    draining: 'Dieses Relay startet bald neu. Du kommst von selbst zurück.',
    moving: 'Dieses Relay startet bald neu. Du ziehst zu einem anderen um.',
    behind: 'Dein Netz stand still. Altes wird ausgelassen.',
    recorded: (names) => `Was hier gesagt wird, nimmt auf: ${names}.`,
    left: 'Du hast die Lobby verlassen.',
    noRelay: 'Das Relay ist nicht erreichbar. Läuft es?',
    elsewhere: 'Du bist woanders beigetreten, darum ist diese Seite draußen.',
    kicked: 'Die Moderation hat dich hinausgeworfen.',
    banned: 'Du bist von dieser Lobby ausgeschlossen.',
    tokenBad: 'Diese Einladung gilt nicht mehr. Bitte um eine neue.',
    lobbyFull: 'Die Lobby ist voll.',
    ended: (why) => `Es ist vorbei: ${why}`,
    notDone: 'Das Relay hat das nicht erlaubt.',
    limitReached: 'Das war zu oft. Warte einen Moment.',
  },
};

/** By language tag. */
export const LANGUAGES: Readonly<Record<string, Words>> = { en, de };

/** The first of these languages that the page speaks, or English. */
export function wordsFor(languages: readonly string[]): { readonly language: string; readonly words: Words } {
  for (const tag of languages) {
    const language = tag.split('-')[0]!.toLowerCase();
    const words = LANGUAGES[language];
    if (words) return { language, words };
  }
  return { language: 'en', words: en };
}

/** The words for the end of a session, or of an attempt to join, by the code of its error. */
export function wordsForFailure(
  { told }: Words,
  { code, message }: { readonly code: string; readonly message: string },
): string {
  const refusal = /^Relay refused \(([a-z-]+)\)/.exec(message)?.[1];
  switch (refusal) {
    case 'kicked':
      return told.kicked;
    case 'banned':
      return told.banned;
    case 'replaced':
    case 'steam-id-in-use':
      return told.elsewhere;
    case 'lobby-full':
    case 'relay-full':
    case 'address-full':
    case 'guests-full':
      return told.lobbyFull;
    case 'token-refused':
    case 'token-expired':
    case 'ticket-refused':
    case 'credential-expected':
      return told.tokenBad;
  }
  if (/\btoken\b/.test(message)) return told.tokenBad;
  if (code === 'ERR_HOTMIC_CONNECT' || code === 'ERR_HOTMIC_CONNECTION_LOST') return told.noRelay;
  return told.ended(message);
}
