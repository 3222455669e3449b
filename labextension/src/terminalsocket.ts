/** One connection to a terminal, from asking for its token to its close. */

import { controlMessage } from './terminalprotocol';
import type { ControlMessage } from './terminalprotocol';
import { TerminalRefused, type ISocket, type ITerminalServer } from './terminalserver';

/** How often, in ms, the link is looked at. Three looks without a sign of life, and the fourth, within 9 s, drops it. */
export const LOOK_EVERY = 2_200;
const SILENT_LOOKS = 3;
/** What one message carries at most: the server takes up to 4 MiB. */
const PIECE = 64 * 1024;

/** The connection is over. `code` 0: it broke, or was never made. `forGood`: another would fare no better. */
export interface IClosed {
  code: number;
  reason: string;
  forGood: boolean;
}

export interface ISocketListener {
  told(message: ControlMessage): void;
  put(data: Uint8Array): void;
  closed(how: IClosed): void;
}

export class TerminalSocket {
  constructor(
    private readonly server: ITerminalServer,
    private readonly listener: ISocketListener
  ) {
    this._look = setInterval(() => this._lookAtLink(), LOOK_EVERY);
  }

  /** Connect to weaver `id`. What becomes of it is told to the listener. */
  async open(id: string, query: Record<string, string>): Promise<void> {
    try {
      const token = await this.server.token();
      if (!this._over) {
        this._connect(this.server.socket(id, query), token);
      }
    } catch (error) {
      const { message } = error as Error;
      this._close({ code: 0, reason: message, forGood: error instanceof TerminalRefused });
    }
  }

  tell(message: object): void {
    this._socket?.send(JSON.stringify(message));
  }

  type(raw: Uint8Array): void {
    for (let start = 0; start < raw.length; start += PIECE) {
      this._socket?.send(raw.subarray(start, start + PIECE));
    }
  }

  /** Let go of it, in whatever state it is; the listener hears no more. */
  drop(): void {
    this._over = true;
    clearInterval(this._look);
    const socket = this._socket;
    this._socket = null;
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private _connect(socket: ISocket, token: string): void {
    this._socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.tell({ type: 'auth', token });
    socket.onmessage = (event: { data: string | ArrayBuffer }) => this._take(event.data);
    socket.onclose = (event: { code: number; reason: string }) => {
      this._close({ code: event.code, reason: event.reason, forGood: false });
    };
  }

  private _take(data: string | ArrayBuffer): void {
    this._silent = 0;
    if (typeof data !== 'string') {
      this.listener.put(new Uint8Array(data));
      return;
    }
    const message = controlMessage(data);
    this._ready ||= message?.type === 'ready';
    if (message !== null) {
      this.listener.told(message);
    }
  }

  /** Looks are counted, not seconds: the timers of a page in the background come late, and so do its messages. */
  private _lookAtLink(): void {
    if (this._silent >= SILENT_LOOKS) {
      this._close({ code: 0, reason: '', forGood: false });
      return;
    }
    this._silent += 1;
    if (this._ready) {
      this.tell({ type: 'ping' });
    }
  }

  private _close(how: IClosed): void {
    if (!this._over) {
      this.drop();
      this.listener.closed(how);
    }
  }

  private readonly _look: ReturnType<typeof setInterval>;
  private _socket: ISocket | null = null;
  private _silent = 0;
  private _ready = false;
  private _over = false;
}
