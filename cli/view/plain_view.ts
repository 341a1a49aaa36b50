/** A line for each event, to standard error: for pipes and logs. */

import { printable } from '../../voice/printable.js';
import { dropSummary } from '../drop_summary.js';
import { memberEvents } from '../greeting.js';
import { SpeakerLine } from '../speaker_line.js';
import { both, type LobbyView, soundText, type ViewOptions } from './view.js';

export function plainView({ member, now, lines }: ViewOptions): LobbyView {
  const startedAt = now();
  const output = { write: (text: string) => process.stderr.write(text) };
  const line = new SpeakerLine(output, () => now() - startedAt, lines);
  return {
    events: both(memberEvents(member, lines), line.events),
    heard: (participant, target) => line.heard(participant, target),
    measure() {},
    sound: (news) => {
      if (lines.take()) console.error(`${soundText(news)}.`);
    },
    trackFailed: (name, code, message) => console.error(`${printable(name)}: ${message} [${code}]`),
    end: () => line.end(),
    dropped: (counts) => {
      const summary = dropSummary(counts);
      if (summary) console.error(summary);
    },
  };
}
