import type { ISocket, ITerminalServer } from '../terminalserver';

/** A socket whose other end is the test. */
export class MadeUpSocket implements ISocket {
  constructor(readonly query: Record<string, string>) {}

  send(data: string | Uint8Array): void {
    this.sent.push(typeof data === 'string' ? data : new TextDecoder().decode(data));
  }

  close(): void {
    this.left = true;
  }

  tell(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  put(text: string): void {
    this.onmessage?.({ data: new TextEncoder().encode(text).buffer as ArrayBuffer });
  }

  ready(fields: object = {}): void {
    this.onopen?.();
    const size = { cols: 80, rows: 24 };
    const state = { viewer: 1, access: 'full', epoch: 'e1', offset: 0, live: 0, primary: true };
    this.tell({ type: 'ready', ...state, ...size, ...fields });
  }

  closed(code: number, reason = ''): void {
    this.onclose?.({ code, reason });
  }

  get told(): object[] {
    return this.sent.filter(text => text.startsWith('{')).map(text => JSON.parse(text) as object);
  }

  binaryType = 'blob';
  onopen: (() => unknown) | null = null;
  onmessage: ((event: { data: string | ArrayBuffer }) => unknown) | null = null;
  onclose: ((event: { code: number; reason: string }) => unknown) | null = null;
  readonly sent: string[] = [];
  left = false;
}

export class MadeUpServer implements ITerminalServer {
  async token(): Promise<string> {
    if (this.failure !== null) {
      throw this.failure;
    }
    return 'ws_token';
  }

  socket(_id: string, query: Record<string, string>): MadeUpSocket {
    this.sockets.push(new MadeUpSocket(query));
    return this.last;
  }

  get last(): MadeUpSocket {
    return this.sockets.at(-1)!;
  }

  failure: Error | null = null;
  readonly sockets: MadeUpSocket[] = [];
}
