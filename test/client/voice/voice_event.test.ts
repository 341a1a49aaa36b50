/** Events by callback and by iterator: in order, bounded, and none missed without a word. */

import t from 'tap';
import { type VoiceEvent, VoiceEvents } from '../../../client/voice/voice_event.js';

const live = (isLive: boolean): VoiceEvent => ({ kind: 'live', isLive });
const ENDED: VoiceEvent = { kind: 'ended', error: null };

t.test('a listener hears the kind it asked for, until it is removed', async (t) => {
  const events = new VoiceEvents();
  const heard: unknown[] = [];
  const remove = events.on('live', ({ isLive }) => heard.push(isLive));
  events.emit(live(true));
  events.emit({ kind: 'channels', channels: [] });
  remove();
  events.emit(live(false));
  t.same(heard, [true]);
});

t.test('a listener that throws does not silence the others, and its error is not swallowed', async (t) => {
  const events = new VoiceEvents();
  const heard: unknown[] = [];
  events.on('live', () => {
    throw new Error('a bug of the game');
  });
  events.on('live', ({ isLive }) => heard.push(isLive));
  const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve));
  events.emit(live(true));
  t.same(heard, [true]);
  t.match(await uncaught, { message: 'a bug of the game' });
});

t.test('the iterator gives every event from now on, waits for more, and ends with the voice', async (t) => {
  const events = new VoiceEvents();
  events.emit(live(true));
  const iterator = events.iterate();
  events.emit(live(false));
  t.same(await iterator.next(), { done: false, value: live(false) });
  const waiting = [iterator.next(), iterator.next()];
  events.emit(ENDED);
  t.same(await Promise.all(waiting), [
    { done: false, value: ENDED },
    { done: true, value: undefined },
  ]);
  t.same(await iterator.next(), { done: true, value: undefined });
  const kinds: string[] = [];
  for await (const { kind } of events.iterate()) kinds.push(kind);
  t.same(kinds, [], 'after the end there is nothing');
});

t.test('a reader who is slow learns how much was missed, and then gets the newest', async (t) => {
  const events = new VoiceEvents();
  const iterator = events.iterate();
  for (let at = 0; at < 1500; at++) events.emit(live(at % 2 === 0));
  events.emit(ENDED);
  const kinds: string[] = [];
  for await (const event of iterator)
    kinds.push(event.kind === 'missed' ? `missed ${event.events}` : event.kind);
  t.equal(kinds[0], 'missed 501');
  t.equal(kinds.length, 1001);
  t.equal(kinds.at(-1), 'ended');
});

t.test('a reader who stops is forgotten', async (t) => {
  const events = new VoiceEvents();
  const iterator = events.iterate();
  events.emit(live(true));
  for await (const _ of iterator) break;
  events.emit(live(true));
  t.same(await iterator.next(), { done: true, value: undefined });
});
