import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError, type IStreamOptions } from '../api';
import { LogStream, SILENCE, type LogItem } from '../logstream';
import type { IServerEvent } from '../sse';

const line = (id: number, data = `line ${id}`): IServerEvent => ({
  id: String(id),
  event: 'message',
  data
});
const END: IServerEvent = {
  id: '9-end',
  event: 'end',
  data: '{"status":"failed","exit_code":3,"reason":"Error"}'
};

/** One connection; the test says what comes. */
class Connection {
  constructor(readonly options: IStreamOptions) {}

  async *events(): AsyncGenerator<IServerEvent[]> {
    this.options.opened?.();
    for (;;) {
      const next = await new Promise<IServerEvent[] | Error | null>((resolve, reject) => {
        this.give = resolve;
        this.options.signal?.addEventListener('abort', () => reject(new Error('aborted')));
      });
      if (next === null) {
        return;
      }
      if (next instanceof Error) {
        throw next;
      }
      this.options.alive?.();
      yield next;
    }
  }

  give: (next: IServerEvent[] | Error | null) => void = () => undefined;
}

class Server {
  logs(_id: string, options: IStreamOptions = {}): AsyncGenerator<IServerEvent[]> {
    this.connections.push(new Connection(options));
    return this.last.events();
  }

  get last(): Connection {
    return this.connections.at(-1)!;
  }

  async give(next: IServerEvent[] | Error | null): Promise<void> {
    this.last.give(next);
    await vi.advanceTimersByTimeAsync(0);
  }

  readonly connections: Connection[] = [];
}

let server: Server;
let stream: LogStream;
let items: LogItem[];

const texts = (): string[] =>
  items.map(item => (item.kind === 'line' ? item.text : `gap ${item.bytes}`));

beforeEach(async () => {
  vi.useFakeTimers();
  server = new Server();
  stream = new LogStream(server, 'weaver_1', 100);
  items = [];
  stream.received.connect((_, more) => items.push(...more));
  stream.resume();
  await vi.advanceTimersByTimeAsync(0);
});

afterEach(() => {
  stream.dispose();
  vi.useRealTimers();
});

describe('A log stream', () => {
  it('asks for the tail, with times', () => {
    expect(server.last.options.query).toEqual({ tail: '100', timestamps: 'true' });
    expect(server.last.options.lastEventId).toBeUndefined();
    expect(stream.state).toBe('following');
  });

  it('gives lines and gaps in order', async () => {
    await server.give([line(1), { id: '2', event: 'gap', data: '{"bytes":7}' }, line(3)]);
    expect(texts()).toEqual(['line 1', 'gap 7', 'line 3']);
  });

  it('goes on behind the last line when it breaks', async () => {
    await server.give([line(1), line(2)]);
    await server.give(new ApiError(0, 'unreachable', 'gone'));
    expect([stream.state, stream.problem]).toEqual(['waiting', 'gone']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.last.options.lastEventId).toBe('2');
    await server.give([line(3)]);
    expect(texts()).toEqual(['line 1', 'line 2', 'line 3']);
  });

  it('comes back when the server closes without an end', async () => {
    await server.give(null);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.connections).toHaveLength(2);
  });

  it('lets go of its connection while it is paused', async () => {
    await server.give([line(1)]);
    stream.pause();
    expect(server.last.options.signal?.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(server.connections).toHaveLength(1);
    stream.resume();
    await vi.advanceTimersByTimeAsync(0);
    expect(server.last.options.lastEventId).toBe('1');
  });

  it('is over at the end, and asks no more', async () => {
    await server.give([line(1), END]);
    expect([stream.state, stream.end]).toEqual(['ended', JSON.parse(END.data)]);
    stream.pause();
    stream.resume();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(server.connections).toHaveLength(1);
    expect(stream.state).toBe('ended');
  });

  it('is dead after a long silence', async () => {
    await vi.advanceTimersByTimeAsync(SILENCE - 1_000);
    expect(stream.state).toBe('following');
    await vi.advanceTimersByTimeAsync(2_500);
    expect(server.connections).toHaveLength(2);
  });

  it('says what the server refuses, and asks again only when told to', async () => {
    await server.give(new ApiError(403, 'forbidden', 'not yours'));
    await vi.advanceTimersByTimeAsync(600_000);
    expect([stream.state, stream.problem]).toEqual(['failed', 'not yours']);
    expect(server.connections).toHaveLength(1);
    stream.resume();
    await vi.advanceTimersByTimeAsync(0);
    expect(server.connections).toHaveLength(2);
  });

  it('says no more once it is disposed', async () => {
    stream.dispose();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(server.connections).toHaveLength(1);
  });
});
