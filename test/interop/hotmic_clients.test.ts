/** The other client and Hotmic's own, run by their command line, understand each other's voice. */

import { readdirSync, readFileSync } from 'node:fs';
import { join as pathOf } from 'node:path';
import { idOf, relay, scenario, settle } from './den.js';
import { hotmic } from './operator.js';
import { noiseFrame, opusOp, rateOp, readPacket, writePacket } from './voice.js';

scenario(
  'hotmic talk is heard: each packet is readable, and its numbers continue as documented',
  async (t, den) => {
    const ada = await den.join(1);
    const dir = t.testdir({ token: await den.token(2) });
    const talk = hotmic(
      t,
      'talk',
      relay.url,
      ...['--lobby', den.lobby, '--steam-id', idOf(2), '--name', 'Hotmic', '--tone', '300', '--seconds', '1'],
      ...['--token-file', pathOf(dir, 'token')],
    );
    const { participant } = await ada.message('joined');
    t.match(participant, { slot: 1, steamId: idOf(2), name: 'Hotmic' });
    await ada.message('left', { slot: 1 });
    t.equal((await talk.ended).code, 0);
    const frames = ada.events.flatMap((event) => (event.kind === 'voice' ? [event.frame] : []));
    t.ok(frames.length >= 10, `${frames.length} frames`);
    let samples = 0;
    for (const [index, frame] of frames.entries()) {
      const packet = readPacket(frame.packet);
      if (typeof packet === 'string') throw new Error(packet);
      t.equal(packet.steamId, idOf(2));
      t.match(frame, {
        slot: 1,
        target: 0,
        marker: index === 0,
        terminator: index === frames.length - 1,
        sequence: (frames[0]!.sequence + index) % 0x10000,
        relaySequence: index,
      });
      t.equal(
        (frame.timestamp - frames[0]!.timestamp) >>> 0,
        samples,
        'the timestamp is that of its samples',
      );
      samples += packet.frames.length * 480 + packet.silences.reduce((sum, each) => sum + each, 0);
    }
    t.ok(samples >= 24_000, `${samples} samples`);
    t.same(
      ada.events.flatMap((event) =>
        event.kind === 'message' && event.message.type === 'speaking' ? [event.message.speaking] : [],
      ),
      [true, false],
    );
  },
);

scenario('hotmic listen and hotmic record hear the other client', async (t, den) => {
  const ada = await den.join(1);
  const dir = t.testdir({ listener: await den.token(2), recorder: await den.token(3) });
  const started = ['listen', 'record'].map((command, index) =>
    hotmic(
      t,
      command,
      relay.url,
      ...['--lobby', den.lobby, '--steam-id', idOf(2 + index)],
      ...['--token-file', pathOf(dir, `${command}er`)],
      ...(command === 'record' ? ['--out', pathOf(dir, 'out')] : []),
    ),
  );
  await ada.message('joined');
  await ada.message('joined');
  for (let frame = 0; frame < 50; frame += 1) {
    ada.say({
      packet: writePacket(idOf(1), rateOp(), opusOp([noiseFrame(frame)], frame, frame === 49)),
      terminator: frame === 49,
    });
    // In the time that it plays: what would be played after the recorder has left is not in the recording.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const [listen, record] = started;
  await listen!.printed(/person 1/);
  await settle(ada);
  // The pong comes after everything that was sent to them, and they read in order.
  for (const command of started) {
    command.child.kill('SIGINT');
    t.match(await command.ended, { code: 0 });
  }
  t.match((await record!.ended).output, /person 1/);
  const tracks = readdirSync(pathOf(dir, 'out'));
  const track = tracks.find((name) => name.includes(idOf(1)));
  t.ok(track, `a track of the speaker in ${tracks}`);
  const wav = readFileSync(pathOf(dir, 'out', track!));
  let loudSamples = 0;
  for (let at = 44; at + 1 < wav.length; at += 2) if (Math.abs(wav.readInt16LE(at)) > 300) loudSamples += 1;
  t.ok(loudSamples > 5_000, `${loudSamples} loud samples of 24000`);
});
