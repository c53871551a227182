/** A target that costs as little as it can: every request is answered as a bridge answers a record that was written. Prints its port. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

const body = '{"offsets":[{"partition":0,"offset":0}]}';
const answer = `HTTP/1.1 200 OK\r\ncontent-type: application/vnd.kafka.v2+json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

const server = createServer({ noDelay: true }, (socket) => {
  let unread = '';
  socket.setEncoding('latin1');
  socket.on('error', () => undefined);
  socket.on('data', (chunk: string) => {
    unread += chunk;
    let answers = '';
    for (;;) {
      const head = unread.indexOf('\r\n\r\n');
      const length = /content-length: *(\d+)/i.exec(unread.slice(0, head))?.[1];
      const end = head + 4 + Number(length ?? 0);
      if (head < 0 || unread.length < end) break;
      unread = unread.slice(end);
      answers += answer;
    }
    if (answers !== '') socket.write(answers);
  });
});
server.listen(0, '127.0.0.1', () => { console.log((server.address() as AddressInfo).port); });
