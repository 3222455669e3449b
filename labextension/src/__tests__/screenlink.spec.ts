import { nullTranslator } from '@jupyterlab/translation';
import { Terminal as HeadlessTerminal } from '@xterm/headless';
import type { Terminal } from '@xterm/xterm';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Attachment } from '../attachment';
import { ScreenLink } from '../screenlink';
import { textOf } from '../terminalsearch';
import { MadeUpServer, type MadeUpSocket } from './madeupserver';

const WHO = '\x1b[c';
const ME = '\x1b[?1;2c';

let server: MadeUpServer;
let terminal: Terminal;
let link: Attachment;

async function connected(fields: object = {}): Promise<MadeUpSocket> {
  link.connect();
  await vi.waitFor(() => expect(server.last.onopen).not.toBeNull());
  server.last.ready(fields);
  return server.last;
}

/** What is drawn, once all that came is. */
async function drawn(): Promise<string> {
  await vi.waitFor(() => expect(link.undrawn).toBe(0));
  await new Promise<void>(resolve => terminal.write('', resolve));
  return textOf(terminal);
}

beforeEach(() => {
  server = new MadeUpServer();
  terminal = new HeadlessTerminal({ allowProposedApi: true }) as unknown as Terminal;
  link = new Attachment(server, 'weaver_1');
  const screen = new ScreenLink(terminal, link, nullTranslator.load('loom_weaver'));
  return () => {
    screen.dispose();
    link.dispose();
  };
});

describe('A screen', () => {
  it('shows what comes, and sends what is typed', async () => {
    const socket = await connected();
    socket.put('$ ');
    expect(await drawn()).toBe('$');
    terminal.input('ls\r');
    expect(socket.sent.at(-1)).toBe('ls\r');
  });

  it('shows a gap where it is', async () => {
    const socket = await connected();
    socket.put('before');
    socket.tell({ type: 'gap', bytes: 4409950 });
    socket.put('after');
    const lines = (await drawn()).split('\n').map(line => line.trim());
    expect(lines).toEqual([
      'before',
      '4,409,950 bytes are missing here: they are not kept any more',
      'after'
    ]);
  });

  it('leaves what the program before had switched on', async () => {
    const socket = await connected();
    socket.put('\x1b[?1049h\x1b[?1000hfull screen');
    await drawn();
    expect(terminal.buffer.active.type).toBe('alternate');
    socket.closed(1006);
    await vi.waitFor(() => expect(server.sockets).toHaveLength(2));
    await vi.waitFor(() => expect(server.last.onopen).not.toBeNull());
    server.last.ready({ epoch: 'e2' });
    server.last.tell({ type: 'gap', bytes: null });
    expect(await drawn()).toContain('made anew');
    expect(terminal.buffer.active.type).toBe('normal');
    expect(terminal.modes.mouseTrackingMode).toBe('none');
  });

  it('answers no question of the past', async () => {
    const socket = await connected({ offset: 0, live: 3 });
    socket.put(WHO);
    await drawn();
    expect(socket.sent).not.toContain(ME);
    socket.put(WHO);
    await drawn();
    expect(socket.sent).toContain(ME);
  });

  it('answers only while it is the one that typed last', async () => {
    const socket = await connected({ primary: false });
    socket.put(WHO);
    await drawn();
    expect(socket.sent).not.toContain(ME);
  });
});
