/** Subscriptions: in their order, each once, and nothing left of those who left. */

import t from 'tap';
import { Topics } from '../../../../../relay/port/sockets/ws/topics.js';

const somebody = () => ({ topics: new Set<string>() });

t.test('a topic has its subscribers once each, in the order in which they came', async (t) => {
  const topics = new Topics();
  const [ada, ben, cleo] = [somebody(), somebody(), somebody()];
  for (const one of [ben, ada, ben, cleo]) topics.subscribe(one, 'den');
  topics.subscribe(ada, 'red');
  t.same([...topics.of('den')], [ben, ada, cleo]);
  t.equal([...topics.of('den')][1], ada);
  t.same([...topics.of('red')], [ada]);
  t.same([...topics.of('blue')], []);
});

t.test('who unsubscribes hears nothing more, and others still do', async (t) => {
  const topics = new Topics();
  const [ada, ben] = [somebody(), somebody()];
  for (const one of [ada, ben]) topics.subscribe(one, 'den');
  topics.unsubscribe(ada, 'den');
  topics.unsubscribe(ada, 'den');
  topics.unsubscribe(ada, 'never heard of');
  t.same([...topics.of('den')], [ben]);
  t.equal(ada.topics.size, 0);
  topics.subscribe(ada, 'den');
  t.same([...topics.of('den')], [ben, ada], 'at the end again');
});

t.test('who leaves is in no topic, also in the middle of a walk', async (t) => {
  const topics = new Topics();
  const [ada, ben, cleo] = [somebody(), somebody(), somebody()];
  for (const one of [ada, ben, cleo]) for (const topic of ['den', 'red']) topics.subscribe(one, topic);
  const walked = [];
  for (const one of topics.of('den')) {
    walked.push(one);
    if (one === ada) topics.leave(ben);
  }
  t.same(walked, [ada, cleo]);
  t.same([...topics.of('red')], [ada, cleo]);
  t.equal(ben.topics.size, 0);
  for (const one of [ada, cleo]) topics.leave(one);
  t.same([...topics.of('den'), ...topics.of('red')], []);
});
