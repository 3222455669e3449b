/** Server-Sent Events, read as the WHATWG text says; no I/O. */

export interface IServerEvent {
  id: string;
  event: string;
  data: string;
}

/** Text in, events out; text may be cut anywhere. */
export class SseParser {
  private _buffer = '';
  private _afterCarriageReturn = false;
  private _data: string[] = [];
  private _event = '';
  private _id: string;

  /** `lastEventId` stands for events that bring no id of their own. */
  constructor(lastEventId = '') {
    this._id = lastEventId;
  }

  feed(text: string): IServerEvent[] {
    const events: IServerEvent[] = [];
    for (const line of this._lines(text)) {
      if (line === '') {
        this._dispatch(events);
      } else {
        this._field(line);
      }
    }
    return events;
  }

  /** CR, LF and CRLF end a line; the LF of a CRLF may come in the next piece. */
  private _lines(text: string): string[] {
    if (text === '') {
      return [];
    }
    const piece = this._afterCarriageReturn && text.startsWith('\n') ? text.slice(1) : text;
    this._afterCarriageReturn = text.endsWith('\r');
    const lines = (this._buffer + piece).split(/\r\n|\r|\n/);
    this._buffer = lines.pop() ?? '';
    return lines;
  }

  private _field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') {
      this._data.push(value);
    } else if (name === 'event') {
      this._event = value;
    } else if (name === 'id' && !value.includes('\0')) {
      this._id = value;
    }
  }

  private _dispatch(events: IServerEvent[]): void {
    if (this._data.length > 0) {
      const event = this._event || 'message';
      events.push({ id: this._id, event, data: this._data.join('\n') });
    }
    this._data = [];
    this._event = '';
  }
}
