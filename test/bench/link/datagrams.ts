/**
 * A child of link.test.ts on one side of the link. `receive`: prints its port, then for each datagram its number and the instant at which it
 * came. `send FROM COUNT BYTES HOST PORT`: sends numbered datagrams, prints the instant of each, and ends. Instants are CLOCK_MONOTONIC in ns.
 */

import { createSocket } from 'node:dgram';

const [what, ...args] = process.argv.slice(2);
const socket = createSocket('udp4');
if (what === 'receive') {
  socket.on('message', (message) => {
    console.log(`${message.readUInt32LE(0)} ${process.hrtime.bigint()}`);
  });
  socket.bind(0, () => {
    socket.setRecvBufferSize(2 ** 20);
    console.log(socket.address().port);
  });
  // Ends with the test.
  process.stdin.resume().on('end', () => process.exit());
} else {
  const [from, count, bytes, host, port] = [...args.slice(0, 3).map(Number), args[3]!, Number(args[4])];
  for (let at = 0; at < Number(count); at++) {
    const message = Buffer.alloc(Number(bytes));
    message.writeUInt32LE(Number(from) + at);
    const instant = process.hrtime.bigint();
    await new Promise((sent) => socket.send(message, Number(port), String(host), sent));
    console.log(`${Number(from) + at} ${instant}`);
  }
  socket.close();
}
