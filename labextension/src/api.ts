/** All HTTP of the front end: the server extension's API below whatever base URL the page has. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { ICreateWeaver, IErrorDetail, IMe, IRepo, IUser, IWeaver, IWsToken } from './models';
import { type IServerEvent, SseParser } from './sse';

/** What a call failed with. `status` 0: the server was not reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: readonly IErrorDetail[] = [],
    readonly retryAfter: number | null = null
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** No server at the other end, for the moment. */
  get isUnreachable(): boolean {
    return this.status === 0 || this.status === 503;
  }

  /** A Jupyter server answers, but not our extension. */
  get isExtensionMissing(): boolean {
    return this.code === EXTENSION_MISSING;
  }

  /** Asking the same again is of no use. */
  get isFinal(): boolean {
    return this.status >= 400 && this.status < 500 && this.status !== 429 && this.status !== 408;
  }
}

export const EXTENSION_MISSING = 'extension_missing';
/** Our extension answers, and knows less than this page needs. */
export const EXTENSION_OLDER = 'extension_older';
export const UNREACHABLE = 'unreachable';

export interface IStreamOptions {
  query?: Record<string, string>;
  lastEventId?: string;
  signal?: AbortSignal;
  /** Called when the headers are there; before it, nothing of the stream is known. */
  opened?: () => void;
  /** Called for every piece that comes, comments too: a link that is silent for long is dead. */
  alive?: () => void;
}

export class WeaverApi {
  constructor(readonly settings: ServerConnection.ISettings = ServerConnection.makeSettings()) {}

  async me(): Promise<IMe> {
    const me = await this._json<IMe>('GET', 'api/weavers/me');
    if (!isWhole(me)) {
      throw new ApiError(200, EXTENSION_OLDER, 'The server tells less than this page needs');
    }
    return me;
  }

  async list(): Promise<IWeaver[]> {
    const answer = await this._json<{ weavers: IWeaver[] }>('GET', 'api/weavers');
    return answer.weavers;
  }

  get(id: string): Promise<IWeaver> {
    return this._json('GET', weaverPath(id));
  }

  /** With the same key, a second call for a lost answer makes no second weaver. */
  create(request: ICreateWeaver, idempotencyKey: string): Promise<IWeaver> {
    return this._json('POST', 'api/weaver', request, { 'Idempotency-Key': idempotencyKey });
  }

  extend(id: string, lifetimeHours: number): Promise<IWeaver> {
    return this._json('PATCH', weaverPath(id), { lifetime_hours: lifetimeHours });
  }

  /** `keepalive`: the call outlives the page that makes it. */
  async delete(id: string, keepalive = false): Promise<void> {
    await this._request('DELETE', weaverPath(id), { keepalive });
  }

  /** Everybody's names, for who may know them. */
  async users(): Promise<IUser[]> {
    const answer = await this._json<{ users: IUser[] }>('GET', 'api/users');
    return answer.users;
  }

  async repos(orgId: string): Promise<IRepo[]> {
    const path = `api/orgs/${encodeURIComponent(orgId)}/repos`;
    const answer = await this._json<{ repos: IRepo[] }>('GET', path);
    return answer.repos;
  }

  /** The first message of a WebSocket: good once, for half a minute. */
  wsToken(): Promise<IWsToken> {
    return this._json('POST', 'auth/ws-token');
  }

  attachUrl(id: string, query: Record<string, string> = {}): string {
    const url = URLExt.join(this.settings.wsUrl, `${weaverPath(id)}/attach`);
    return url + URLExt.objectToQueryString(query);
  }

  events(options: IStreamOptions = {}): AsyncGenerator<IServerEvent> {
    return this.eventStream('api/weavers/events', options);
  }

  /** Many events at once: a log may have a million. */
  logs(id: string, options: IStreamOptions = {}): AsyncGenerator<IServerEvent[]> {
    return this._eventBatches(`${weaverPath(id)}/logs`, options);
  }

  /** Ends when the server ends it (at once for 204); throws an ApiError when it breaks. */
  async *eventStream(path: string, options: IStreamOptions = {}): AsyncGenerator<IServerEvent> {
    for await (const events of this._eventBatches(path, options)) {
      yield* events;
    }
  }

  private async *_eventBatches(
    path: string,
    options: IStreamOptions
  ): AsyncGenerator<IServerEvent[]> {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (options.lastEventId) {
      headers['Last-Event-ID'] = options.lastEventId;
    }
    const url = path + URLExt.objectToQueryString(options.query ?? {});
    const signal = options.signal ? { signal: options.signal } : {};
    const response = await this._request('GET', url, { headers, ...signal });
    options.opened?.();
    if (response.status !== 204 && response.body) {
      yield* readEvents(response.body, options);
    }
  }

  private async _json<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {}
  ): Promise<T> {
    const response = await this._request(method, path, initOf(body, headers));
    return (await response.json()) as T;
  }

  private async _request(method: string, path: string, init: RequestInit): Promise<Response> {
    const url = URLExt.join(this.settings.baseUrl, path);
    const response = await this._fetch(url, { ...init, method });
    if (!response.ok) {
      throw await errorOf(response);
    }
    return response;
  }

  private async _fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await ServerConnection.makeRequest(url, init, this.settings);
    } catch (error) {
      if (init.signal?.aborted) {
        throw error;
      }
      throw unreachable(error);
    }
  }
}

function isWhole({ user, roles, orgs, runtime }: Partial<IMe>): boolean {
  return Boolean(user?.id && Array.isArray(roles) && Array.isArray(orgs) && runtime?.images);
}

function initOf(body: unknown, headers: Record<string, string>): RequestInit {
  return body === undefined
    ? { headers }
    : { headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}

function weaverPath(id: string): string {
  return `api/weaver/${encodeURIComponent(id)}`;
}

function unreachable(cause: unknown): ApiError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new ApiError(0, UNREACHABLE, `The server cannot be reached (${text})`);
}

async function errorOf(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get('Retry-After')) || null;
  const text = await response.text();
  const body = parsed(text) as { error?: unknown; message?: unknown; details?: IErrorDetail[] };
  if (typeof body.error === 'string' && typeof body.message === 'string') {
    return new ApiError(response.status, body.error, body.message, body.details, retryAfter);
  }
  const code = response.status === 404 ? EXTENSION_MISSING : 'http_error';
  const message = `The server answered ${response.status} ${response.statusText}`.trim();
  return new ApiError(response.status, code, message, [], retryAfter);
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

async function* readEvents(
  body: ReadableStream<Uint8Array>,
  options: IStreamOptions
): AsyncGenerator<IServerEvent[]> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser(options.lastEventId);
  try {
    for (;;) {
      const { done, value } = await readPiece(reader, options.signal);
      if (done) {
        return;
      }
      options.alive?.();
      yield parser.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    // Whoever stops reading gives the connection back.
    reader.cancel().catch(() => undefined);
  }
}

async function readPiece(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  signal?: AbortSignal
): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read();
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    throw unreachable(error);
  }
}
