import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection that is kept open: one request at a time, ready made, and as little work as that can be. */
export interface Connection {
  /** Resolves with the status once the whole answer is here. */
  send(request: Buffer): Promise<number>;
  close(): void;
}

const END_OF_HEAD = '\r\n\r\n';

/**
 * HTTP/1.1 as far as the answers of receivers go. A client library takes longer for a request than the fastest receiver
 * does, and would itself be what is measured.
 */
export async function openConnection({ hostname, port }: URL): Promise<Connection> {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true }).setEncoding('latin1');
  await once(socket, 'connect');
  let received = '';
  let answered: PromiseWithResolvers<number> = Promise.withResolvers();

  socket.on('data', (text: string) => {
    received += text;
    const end = endOf(received);
    if (end === null) return;
    const status = Number(received.slice(9, 12));
    received = received.slice(end);
    answered.resolve(status);
  });
  failing(socket, (error) => answered.reject(error));

  return {
    send(request) {
      answered = Promise.withResolvers();
      socket.write(request);
      return answered.promise;
    },
    close: () => void socket.destroy(),
  };
}

function failing(socket: Socket, reject: (error: Error) => void): void {
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('the server closed the connection')));
}

/** Where an answer ends; null while it is not whole. */
function endOf(text: string): number | null {
  const head = text.indexOf(END_OF_HEAD);
  if (head < 0) return null;
  const body = head + END_OF_HEAD.length;
  const length = /^content-length: *(\d+)/im.exec(text)?.[1];
  if (length !== undefined) return text.length >= body + Number(length) ? body + Number(length) : null;
  if (!/^transfer-encoding: *chunked/im.test(text)) return body;
  const last = text.indexOf(`0${END_OF_HEAD}`, body);
  return last < 0 ? null : last + 1 + END_OF_HEAD.length;
}
