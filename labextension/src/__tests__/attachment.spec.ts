import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Attachment, type TerminalItem } from '../attachment';
import { TerminalRefused } from '../terminalserver';
import { LOOK_EVERY } from '../terminalsocket';
import { MadeUpServer, type MadeUpSocket } from './madeupserver';

let server: MadeUpServer;
let link: Attachment;
let items: TerminalItem[];

const text = (): string =>
  items
    .map(item => (item.kind === 'output' ? new TextDecoder().decode(item.data) : '<gap>'))
    .join('');

async function connected(fields: object = {}): Promise<MadeUpSocket> {
  link.connect();
  await vi.advanceTimersByTimeAsync(0);
  server.last.ready(fields);
  return server.last;
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new MadeUpServer();
  link = new Attachment(server, 'weaver_1');
  items = [];
  link.received.connect((_, item) => items.push(item));
});

afterEach(() => {
  link.dispose();
  vi.useRealTimers();
});

describe('A terminal link', () => {
  it('sends the token first, then its size', async () => {
    link.resize(100, 30);
    const socket = await connected();
    expect(socket.told).toEqual([
      { type: 'auth', token: 'ws_token' },
      { type: 'resize', cols: 100, rows: 30 }
    ]);
    expect(link.state).toBe('connected');
  });

  it('tells a size once', async () => {
    const socket = await connected();
    link.resize(90, 20);
    link.resize(90, 20);
    expect(socket.told.slice(1)).toEqual([{ type: 'resize', cols: 90, rows: 20 }]);
  });

  it('tells replay from what is put out now', async () => {
    const socket = await connected({ offset: 10, live: 13 });
    socket.put('oldnew');
    expect(items.map(item => item.kind === 'output' && item.replay)).toEqual([true, false]);
    expect(text()).toBe('oldnew');
    expect(link.position).toBe('e1:16');
  });

  it('leaves the notice of read-only access out, and types nothing', async () => {
    link.connect();
    await vi.advanceTimersByTimeAsync(0);
    server.last.put('*** Read-only ***\r\n');
    server.last.ready({ access: 'read_only', primary: false });
    server.last.put('$ ');
    expect(text()).toBe('$ ');
    expect(link.send('x')).toBe(false);
    link.resize(10, 5);
    expect(server.last.sent).toHaveLength(1);
  });

  it('resumes at the next byte', async () => {
    const socket = await connected();
    socket.put('abc');
    socket.closed(1006);
    expect(link.state).toBe('waiting');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.last.query).toEqual({ since: 'e1:3' });
    server.last.ready({ offset: 3, live: 5 });
    server.last.put('de');
    expect(text()).toBe('abcde');
  });

  it('refuses keys without a link, and sends none of them later', async () => {
    const socket = await connected();
    socket.closed(1012);
    expect(link.send('rm -rf /\n')).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    server.last.ready();
    expect(server.last.told).toEqual([{ type: 'auth', token: 'ws_token' }]);
  });

  it('shows a gap where it is, and tells a terminal that was made anew', async () => {
    const socket = await connected();
    socket.put('a');
    socket.closed(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    server.last.ready({ epoch: 'e2', offset: 7, live: 8 });
    server.last.tell({ type: 'gap', bytes: null });
    server.last.put('b');
    expect(text()).toBe('a<gap>b');
    expect(items[1]).toEqual({ kind: 'gap', bytes: null, restarted: true });
  });

  it('notices within 10 s that nothing comes any more', async () => {
    const socket = await connected();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(socket.left).toBe(true);
    expect(server.sockets.length).toBeGreaterThan(1);
  });

  it('stays while there are pongs', async () => {
    const socket = await connected();
    for (let look = 0; look < 20; look += 1) {
      await vi.advanceTimersByTimeAsync(LOOK_EVERY);
      socket.tell({ type: 'pong' });
    }
    expect(link.state).toBe('connected');
    expect(server.sockets).toHaveLength(1);
  });

  it('gives up a connection that is never made', async () => {
    link.connect();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.sockets[0]!.left).toBe(true);
  });

  it.each([1000, 4409, 4403, 4404])('makes no attempt after %i', async code => {
    const socket = await connected();
    socket.closed(code, 'exited 0');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(server.sockets).toHaveLength(1);
    expect([link.state, link.closeCode, link.problem]).toEqual(['over', code, 'exited 0']);
  });

  it.each([1006, 1011, 1012, 4401, 4429])('comes back after %i', async code => {
    const socket = await connected();
    socket.closed(code);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.sockets).toHaveLength(2);
  });

  it('waits ever longer, and begins anew when it went well for a while', async () => {
    server.failure = new Error('nobody there');
    link.connect();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(link.problem).toBe('nobody there');
    server.failure = null;
    const socket = await connected();
    await vi.advanceTimersByTimeAsync(5_500);
    socket.closed(1006);
    expect(link.retryAt! - Date.now()).toBeLessThanOrEqual(250);
  });

  it('stops when it is refused for good', async () => {
    server.failure = new TerminalRefused('sign in again');
    link.connect();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([link.state, link.problem]).toEqual(['over', 'sign in again']);
  });

  it('knows who answers the questions of programs', async () => {
    const socket = await connected();
    expect(link.primary).toBe(true);
    const viewers = [{ id: 1, user: { id: 'u', name: 'ada' }, access: 'full', primary: false }];
    socket.tell({ type: 'presence', viewers, cols: 80, rows: 24 });
    expect(link.primary).toBe(false);
    expect(link.viewers).toEqual(viewers);
  });

  it('keeps how the weaver ended', async () => {
    const socket = await connected();
    socket.tell({ type: 'exit', code: 3, reason: 'Error', detail: 'exited with 3' });
    socket.closed(1000, 'exited 3');
    expect(link.exit).toMatchObject({ code: 3, reason: 'Error' });
  });

  it('ignores messages that it does not know', async () => {
    const socket = await connected();
    socket.tell({ type: 'confetti' });
    socket.onmessage?.({ data: 'no json' });
    expect(link.state).toBe('connected');
  });

  it('acknowledges the first that is drawn, then in steps', async () => {
    const socket = await connected();
    const acks = (): number[] =>
      (socket.told as Array<{ type: string; bytes: number }>)
        .filter(({ type }) => type === 'ack')
        .map(({ bytes }) => bytes);
    socket.put('x'.repeat(100_000));
    link.drawn(10);
    link.drawn(60_000);
    expect(acks()).toEqual([10]);
    link.drawn(39_990);
    expect(acks()).toEqual([10, 99_990]);
    expect(link.undrawn).toBe(0);
  });

  it('does not acknowledge over one link what came over another', async () => {
    const socket = await connected();
    socket.put('abc');
    socket.closed(1006);
    await vi.advanceTimersByTimeAsync(1_000);
    server.last.ready({ offset: 3, live: 3 });
    link.drawn(3);
    expect(server.last.told).toHaveLength(1);
  });

  it('says no more once it is disposed', async () => {
    const socket = await connected();
    link.dispose();
    expect(socket.left).toBe(true);
    expect(socket.onmessage).toBeNull();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.sockets).toHaveLength(1);
  });
});
