/** Whom voice is for. On the wire it is a number: docs/protocol.md, "The voice frame". */

/** Everyone in the lobby, the members of a channel (by its name), or the players named in `Lobby.whisper`. */
export type VoiceTarget = 'lobby' | 'whisper' | { readonly channel: string };

/** Whether both name the same target. */
export function isSameTarget(one: VoiceTarget, other: VoiceTarget): boolean {
  if (typeof one === 'string' || typeof other === 'string') return one === other;
  return one.channel === other.channel;
}
