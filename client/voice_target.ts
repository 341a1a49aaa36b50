/** Whom voice is for, as a game says it. On the wire it is a number: docs/protocol.md, "The voice frame". */

/** Everyone in the lobby, those in a channel, by its name, or those whom `whisper` named. */
export type VoiceTarget = 'lobby' | 'whisper' | { readonly channel: string };

/** Whether both are the same people's. */
export function isSameTarget(one: VoiceTarget, other: VoiceTarget): boolean {
  if (typeof one === 'string' || typeof other === 'string') return one === other;
  return one.channel === other.channel;
}
