/** A member as control messages describe them. */

import type { ParticipantInfo, RelayMessageToWrite } from '../../../voice/control.js';
import type { Member } from './member.js';
import { speaksTo } from './speaking.js';

type StateToWrite = Extract<RelayMessageToWrite, { type: 'joined' }>['participant'];

/** A member's state; defaults are left out. */
export function stateOf(member: Member): StateToWrite {
  const { slot, steamId, profile, channels, sanctioned, presence, rights, kind, listing } = member;
  return {
    slot,
    steamId,
    name: profile.name,
    ...(channels.length > 0 && { channels: channels.map(({ number }) => number) }),
    ...(sanctioned.muted && { muted: true }),
    ...(sanctioned.deafened && { deafened: true }),
    ...(presence.kind === 'away' && { away: true }),
    ...(profile.priority && { priority: true }),
    ...(rights.moderator && { moderator: true }),
    ...(kind === 'guest' && { guest: true }),
    ...(!rights.maySpeak && { spectator: true }),
    ...(listing === 'unlisted' && { unlisted: true }),
    ...(profile.recordingSince !== null && { recordingSince: profile.recordingSince }),
  };
}

/** The same for a welcome, with whether they speak to this viewer. */
export function infoFor(viewer: Member, member: Member): StateToWrite & Pick<ParticipantInfo, 'speaking'> {
  return { ...stateOf(member), speaking: speaksTo(member, viewer) };
}
