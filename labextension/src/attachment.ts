/**
 * A weaver's terminal over however many connections it takes. No DOM.
 *
 * What is on screen is counted, so that a link which broke is made anew at the very next byte. Keys are refused while
 * there is no link, never queued: nobody should type blindly into a program that may have gone on.
 */

import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { Backoff, STEADY_AFTER } from './backoff';
import { Credit } from './credit';
import { CloseCode, FINAL } from './terminalprotocol';
import type {
  AccessLevel,
  ControlMessage,
  IExit,
  ILifetimeWarning,
  IReady,
  IViewer
} from './terminalprotocol';
import type { ITerminalServer } from './terminalserver';
import { TerminalSocket } from './terminalsocket';
import type { IClosed, ISocketListener } from './terminalsocket';

/** `waiting`: the link broke and another attempt is due. `over`: no attempt is made any more. */
export type LinkState = 'connecting' | 'connected' | 'waiting' | 'over';

/** Output as it came; `replay`: it was put out before this viewer came, and its queries have been answered. */
export interface IOutput {
  kind: 'output';
  data: Uint8Array;
  replay: boolean;
}

/** Something is missing here. `restarted`: what follows is the terminal of another epoch. */
export interface IMissing {
  kind: 'gap';
  bytes: number | null;
  restarted: boolean;
}

export type TerminalItem = IOutput | IMissing;

export class Attachment implements IDisposable, ISocketListener {
  constructor(
    private readonly server: ITerminalServer,
    readonly weaverId: string
  ) {}

  /** Something that the getters tell has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Output and gaps, in order. Whoever draws them calls `drawn`. */
  get received(): ISignal<this, TerminalItem> {
    return this._received;
  }

  /** The lifetime ends soon. */
  get warned(): ISignal<this, ILifetimeWarning> {
    return this._warned;
  }

  get state(): LinkState {
    return this._state;
  }

  /** Why there is no link, in words; empty while there is one. */
  get problem(): string {
    return this._problem;
  }

  /** When the next attempt is made, in ms since the epoch; null when none is due. */
  get retryAt(): number | null {
    return this._retryAt;
  }

  /** Null before the first `ready`. */
  get access(): AccessLevel | null {
    return this._ready?.access ?? null;
  }

  get viewers(): readonly IViewer[] {
    return this._viewers;
  }

  /** The size that the terminal has now; the smallest of those who may type. */
  get size(): { cols: number; rows: number } | null {
    return this._size;
  }

  /** How the weaver ended, once it has. */
  get exit(): IExit | null {
    return this._exit;
  }

  /** With which code the server closed for good; null while it has not. */
  get closeCode(): number | null {
    return this._closeCode;
  }

  /** Whether this viewer's terminal is the one that answers queries. */
  get primary(): boolean {
    return this._state === 'connected' && this._primary && this.access === 'full';
  }

  /** `EPOCH:OFFSET` of the next byte. */
  get position(): string | null {
    return this._ready ? `${this._ready.epoch}:${this._offset}` : null;
  }

  /** Bytes that came and are not drawn yet. */
  get undrawn(): number {
    return this._credit.undrawn;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    if (this._disposed) {
      return;
    }
    this._disposed = true;
    this._drop();
    this._state = 'over';
    Signal.clearData(this);
  }

  /** Connect now: at first, or because there is reason to believe that it works again. */
  connect(): void {
    if (this._disposed || this._state === 'connected' || this._state === 'over') {
      return;
    }
    this._drop();
    this._attempt();
  }

  /** Type. False while nothing can be typed: then nothing was, and nothing will be. */
  send(data: string | Uint8Array): boolean {
    if (this._state !== 'connected' || this.access !== 'full') {
      return false;
    }
    const raw = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    this._socket!.type(raw);
    return true;
  }

  /** Tell this viewer's size; a link that is made anew tells it again. */
  resize(cols: number, rows: number): void {
    if (this._wanted?.cols === cols && this._wanted.rows === rows) {
      return;
    }
    this._wanted = { cols, rows };
    this._tellSize();
  }

  /** So many bytes of what was received are on screen. */
  drawn(bytes: number): void {
    const due = this._credit.drew(bytes);
    if (due > 0 && this._state === 'connected') {
      this._socket!.tell({ type: 'ack', bytes: due });
    }
  }

  private _attempt(): void {
    this._socket = new TerminalSocket(this.server, this);
    this._enter('connecting', this._problem);
    const query: Record<string, string> = this.position === null ? {} : { since: this.position };
    void this._socket.open(this.weaverId, query);
  }

  /** The notice of read-only access comes before `ready`, and is not counted: we say it in our own words. */
  put(data: Uint8Array): void {
    if (this._state !== 'connected' || data.length === 0) {
      return;
    }
    const past = Math.min(data.length, Math.max(0, this._ready!.live - this._offset));
    this._offset += data.length;
    this._credit.took(data.length);
    if (past > 0) {
      this._received.emit({ kind: 'output', data: data.subarray(0, past), replay: true });
    }
    if (past < data.length) {
      this._received.emit({ kind: 'output', data: data.subarray(past), replay: false });
    }
  }

  told(message: ControlMessage): void {
    switch (message.type) {
      case 'ready':
        return this._takeReady(message);
      case 'presence':
        this._viewers = message.viewers;
        this._size = { cols: message.cols, rows: message.rows };
        this._primary = message.viewers.some(
          viewer => viewer.id === this._ready?.viewer && viewer.primary
        );
        return this._changed.emit();
      case 'gap':
        return this._received.emit({
          kind: 'gap',
          bytes: message.bytes,
          restarted: this._restarted
        });
      case 'warning':
        return this._warned.emit(message);
      case 'exit':
        this._exit = message;
        return this._changed.emit();
      case 'pong':
        return;
    }
  }

  private _takeReady(ready: IReady): void {
    this._restarted = this._ready !== null && this._ready.epoch !== ready.epoch;
    this._ready = ready;
    this._offset = ready.offset;
    this._size = { cols: ready.cols, rows: ready.rows };
    this._primary = ready.primary;
    this._credit.restart();
    this._steady = setTimeout(() => this._backoff.restart(), STEADY_AFTER);
    this._enter('connected', '');
    this._tellSize();
  }

  closed(how: IClosed): void {
    this._drop();
    if (FINAL.has(how.code) || how.forGood) {
      this._closeCode = how.code || null;
      this._enter('over', how.reason);
      return;
    }
    if (how.code === CloseCode.TooSlow) {
      this._backoff.restart();
    }
    const delay = this._backoff.next();
    this._retryAt = Date.now() + delay;
    this._retry = setTimeout(() => this.connect(), delay);
    this._enter('waiting', how.reason);
  }

  private _tellSize(): void {
    if (this._state === 'connected' && this.access === 'full' && this._wanted !== null) {
      this._socket!.tell({ type: 'resize', ...this._wanted });
    }
  }

  private _enter(state: LinkState, problem: string): void {
    this._state = state;
    this._problem = problem;
    this._changed.emit();
  }

  private _drop(): void {
    clearTimeout(this._steady);
    clearTimeout(this._retry);
    this._retryAt = null;
    this._viewers = [];
    this._socket?.drop();
    this._socket = null;
  }

  private readonly _backoff = new Backoff();
  private readonly _credit = new Credit();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _received = new Signal<this, TerminalItem>(this);
  private readonly _warned = new Signal<this, ILifetimeWarning>(this);
  private _state: LinkState = 'connecting';
  private _problem = '';
  private _retryAt: number | null = null;
  private _socket: TerminalSocket | null = null;
  private _retry: ReturnType<typeof setTimeout> | undefined;
  private _steady: ReturnType<typeof setTimeout> | undefined;
  private _ready: IReady | null = null;
  private _restarted = false;
  private _offset = 0;
  private _viewers: readonly IViewer[] = [];
  private _size: { cols: number; rows: number } | null = null;
  private _wanted: { cols: number; rows: number } | null = null;
  private _primary = false;
  private _exit: IExit | null = null;
  private _closeCode: number | null = null;
  private _disposed = false;
}
