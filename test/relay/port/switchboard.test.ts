/** The sockets of a relay and its core: in which order what comes of one thing is carried out, whatever else comes of it meanwhile. */

import t from 'tap';
import { CredentialJudge } from '../../../relay/admission/judges.js';
import type { Relay } from '../../../relay/core/relay.js';
import { AddressLimits } from '../../../relay/port/address_limits.js';
import { type Socket, type SocketData, Switchboard } from '../../../relay/port/switchboard.js';
import { Bench, bytesOf, frameOf, helloOf } from '../kit.js';

/** Its close handler runs before `end` and `cut` return. */
class FakeSocket implements Socket {
  readonly heard: { readonly type: string; readonly resume?: { readonly secret: string } }[] = [];
  isFull = false;
  readonly data: SocketData;
  readonly #onClosed: (socket: Socket) => void;

  constructor(id: number, onClosed: (socket: Socket) => void) {
    this.data = { id, address: null };
    this.#onClosed = onClosed;
  }

  send(text: string): 'sent' | 'dropped' {
    if (this.isFull) return 'dropped';
    this.heard.push(JSON.parse(text) as FakeSocket['heard'][number]);
    return 'sent';
  }

  publish(): void {}

  subscribe(): void {}

  unsubscribe(): void {}

  end(): void {
    this.#onClosed(this);
  }

  cut(): void {
    this.#onClosed(this);
  }
}

function switchboardOf(relay: Relay): Switchboard {
  return new Switchboard({
    relay,
    judge: new CredentialJudge({ tokens: null, webTickets: null, appTickets: null, development: true }),
    addresses: new AddressLimits(),
    now: () => 1000,
    unixSeconds: () => 2_000_000_000,
    keep: () => undefined,
    onEvent: () => undefined,
    onStage: null,
    load: () => 0,
    setTimer: () => () => undefined,
    afterTurn: (callback) => callback(),
    onEmpty: () => undefined,
    onDeadline: () => undefined,
  });
}

t.test('a listener who cannot receive a message is cut after all outputs under way', async (t) => {
  const { relay } = new Bench();
  const switchboard = switchboardOf(relay);
  const connect = (id: number): FakeSocket => {
    const socket = new FakeSocket(id, (closed) => switchboard.closed(closed));
    switchboard.open(socket);
    return socket;
  };
  const give = (socket: FakeSocket, bytes: Uint8Array, kind: 'binary' | 'text'): void =>
    switchboard.receive(socket, bytes.slice(), kind);
  const [first, second] = [connect(1), connect(2)];
  give(first, bytesOf(helloOf(1)), 'text');
  give(second, bytesOf(helloOf(2)), 'text');
  give(first, frameOf(1), 'binary');
  second.isFull = true;

  // The message to the second about the first's silence is dropped; the first's old connection is closed; the new one is welcomed.
  const again = connect(3);
  give(
    again,
    bytesOf({ type: 'resume', versions: [1], secret: first.heard[0]?.resume?.secret ?? '' }),
    'text',
  );
  t.equal(switchboard.listenersCut, 1);
  t.match(
    again.heard,
    [
      { type: 'welcome', participants: [{ slot: 1 }] },
      { type: 'changed', participant: { slot: 1, away: true } },
    ],
    'the welcome first, in which the second is there, and then that it is away',
  );
});
