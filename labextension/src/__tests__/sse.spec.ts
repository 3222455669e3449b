import { describe, expect, it } from 'vitest';

import { SseParser } from '../sse';

function parse(text: string, size: number): unknown[] {
  const parser = new SseParser();
  const events: unknown[] = [];
  for (let at = 0; at < text.length; at += size) {
    events.push(...parser.feed(text.slice(at, at + size)));
  }
  return events;
}

describe('Server-sent events', () => {
  const text =
    ':\n\nid: 1\r\ndata: a\r\n\r\ndata: b\rdata:  c\r\rid: 3\nevent: end\ndata\n\ndata: half';
  const events = [
    { id: '1', event: 'message', data: 'a' },
    { id: '1', event: 'message', data: 'b\n c' },
    { id: '3', event: 'end', data: '' }
  ];

  it.each([1, 2, 3, 7, 1000])('are the same when cut into pieces of %i characters', size => {
    expect(parse(text, size)).toEqual(events);
  });

  it('split at CR and LF only', () => {
    const odd = 'a\u2028b\u000bc\u000cd\u0085e';
    expect(parse(`data: ${odd}\n\n`, 4)).toEqual([{ id: '', event: 'message', data: odd }]);
  });
});
