/** How a terminal's link reaches the server. */

import { ApiError, type WeaverApi } from './api';
import { SUBPROTOCOL } from './terminalprotocol';

/** A failure after which it makes no sense to try again. */
export class TerminalRefused extends Error {}

/** What an attachment needs of a WebSocket. */
export interface ISocket {
  binaryType: string;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: never) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

/** How an attachment reaches the server. */
export interface ITerminalServer {
  /** A token that opens one socket. Rejects with a TerminalRefused where it is of no use to ask again. */
  token(): Promise<string>;
  /** Open a socket to the terminal of weaver `id`. */
  socket(id: string, query: Record<string, string>): ISocket;
}

export function terminalServer(api: WeaverApi): ITerminalServer {
  return {
    token: async () => {
      try {
        return (await api.wsToken()).token;
      } catch (error) {
        throw error instanceof ApiError && error.isFinal
          ? new TerminalRefused(error.message)
          : error;
      }
    },
    socket: (id, query) => new api.settings.WebSocket(api.attachUrl(id, query), [SUBPROTOCOL])
  };
}
