/** Acknowledgements that lie, that come too early, or that come in floods: whoever sends them harms nobody else. */

import { writeAcknowledgement } from '../../voice/acknowledgement.js';
import { type Attack, dropped, ended, NO_EFFECT, refused, times } from './attack.js';
import { hearsGood } from './attacks_voice.js';

export const STALENESS_ATTACKS: readonly Attack[] = [
  {
    name: 'acknowledgements of frames that were never sent, or are yet to come',
    answers: [NO_EFFECT],
    run: async (field) => {
      const { attacker, witness } = await field.pair();
      const lies = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
      for (const time of lies) attacker.wire.sendBytes(writeAcknowledgement(time));
      await hearsGood(attacker, witness);
      return times(lies.length, NO_EFFECT);
    },
  },
  {
    name: 'five bytes that are not an acknowledgement',
    answers: [dropped('frame-too-short')],
    run: async (field) => {
      const { attacker, witness } = await field.pair();
      const others = [0x00, 0x11, 0x1f, 0x20, 0xff];
      for (const first of others) attacker.wire.sendBytes(Uint8Array.of(first, 0, 0, 0, 0));
      await hearsGood(attacker, witness);
      return times(others.length, dropped('frame-too-short'));
    },
  },
  {
    name: 'an acknowledgement before the hello',
    answers: [refused('hello-expected'), dropped('not-joined')],
    run: async (field) => {
      const wire = await field.socket();
      wire.sendBytes(writeAcknowledgement(0));
      return [await ended(wire), dropped('not-joined')];
    },
  },
];
