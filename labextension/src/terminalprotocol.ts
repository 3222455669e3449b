/** The messages of the subprotocol `loom-weaver.v1`, as far as a viewer gets and sends them. No I/O. */

export const SUBPROTOCOL = 'loom-weaver.v1';

export type AccessLevel = 'full' | 'read_only';

export interface IReady {
  type: 'ready';
  viewer: number;
  access: AccessLevel;
  epoch: string;
  /** The number of the byte that comes next. */
  offset: number;
  /** Where replay ends and the present begins. */
  live: number;
  cols: number;
  rows: number;
  primary: boolean;
}

export interface IViewer {
  id: number;
  user: { id: string; name: string };
  access: AccessLevel;
  /** Who typed last: only this viewer's terminal answers the queries of programs. */
  primary: boolean;
}

export interface IPresence {
  type: 'presence';
  viewers: IViewer[];
  cols: number;
  rows: number;
}

export interface IGap {
  type: 'gap';
  /** Null where nobody knows how many. */
  bytes: number | null;
}

export interface ILifetimeWarning {
  type: 'warning';
  minutes: number;
  expires_at: string;
}

export interface IExit {
  type: 'exit';
  code: number | null;
  reason: string | null;
  detail: string | null;
}

export type ControlMessage =
  IReady | IPresence | IGap | ILifetimeWarning | IExit | { type: 'pong' };

const KNOWN = new Set(['ready', 'presence', 'gap', 'warning', 'exit', 'pong']);

/** What a text message says; null for one that this client does not know. */
export function controlMessage(text: string): ControlMessage | null {
  try {
    const value: unknown = JSON.parse(text);
    const kind = (value as { type?: unknown } | null)?.type;
    return typeof kind === 'string' && KNOWN.has(kind) ? (value as ControlMessage) : null;
  } catch {
    return null;
  }
}

/** Why the server closed a terminal, and whether it makes sense to come back. */
export enum CloseCode {
  Normal = 1000,
  BadToken = 4401,
  NoAccess = 4403,
  NoWeaver = 4404,
  Ended = 4409,
  TooSlow = 4429
}

/** After these no attempt is made: the weaver is over, gone, or not this user's. */
export const FINAL: ReadonlySet<number> = new Set([
  CloseCode.Normal,
  CloseCode.Ended,
  CloseCode.NoAccess,
  CloseCode.NoWeaver
]);
