import { describe, expect, it } from 'vitest';

import { LineScreen, plainText, rows, runs } from '../ansi';
import { BLOCK_LINES, LogLines } from '../loglines';
import { LogSearch } from '../logsearch';
import type { LogItem } from '../logstream';

const draw = (text: string): string => new LineScreen().draw(text);
const line = (text: string): LogItem => ({ kind: 'line', text });
const many = (count: number, from = 0): LogItem[] =>
  Array.from({ length: count }, (_, index) => line(`line ${from + index}`));

describe('A line', () => {
  it.each([
    ['a progress bar that grows', '10 %\n60 %\n100 %', '100 %'],
    ['a bar that leaves the end of a longer one', 'loading\nok', 'okading'],
    ['a bar that erases first', 'loading\n\x1b[Kok', 'ok'],
    ['a bar that erases the rest', 'loading\nok\x1b[K', 'ok'],
    ['a bar that erases all', 'loading\n\x1b[2Kok', 'ok'],
    ['a return at the end', 'done\n', 'done'],
    ['a backspace', 'ab\bc', 'ac'],
    ['tabs', 'a\tb', 'a       b'],
    ['a column', 'abc\x1b[2Gx', 'axc'],
    ['a link', 'see \x1b]8;;http://x/\x1b\\this\x1b]8;;\x1b\\', 'see this'],
    ['a title', '\x1b]0;title\x07text', 'text'],
    ['a bell and other control characters', 'a\x07\x00b\x0cc', 'abc'],
    ['an escape that is cut', 'a\x1b[', 'a'],
    ['wide characters', '✅世|', '✅世|'],
    ['what looks like a tag', '<img src=x> &amp;', '<img src=x> &amp;'],
    ['U+2028', 'a\u2028b', 'a\u2028b']
  ])('with %s is what a screen would show', (_, text, shown) => {
    expect(plainText(draw(text))).toBe(shown);
  });

  it('keeps its colours', () => {
    const found = runs(draw('\x1b[1;31mred\x1b[0m plain \x1b[38;5;208mo\x1b[48;2;1;2;3mb'));
    expect(found.map(({ text, style }) => [text, style.foreground, style.background])).toEqual([
      ['red', 1, null],
      [' plain ', null, null],
      ['o', 208, null],
      ['b', 208, '#010203']
    ]);
    expect(found[0]!.style.bold).toBe(true);
  });

  it('has the colour that the line before left on', () => {
    const screen = new LineScreen();
    screen.draw('\x1b[32mgreen');
    expect(runs(screen.draw('still green'))[0]!.style.foreground).toBe(2);
    screen.reset();
    expect(screen.draw('plain')).toBe('plain');
  });

  it('is cut into rows', () => {
    const cut = rows(runs(draw('abcdef\x1b[31mgh')), 3);
    expect(cut.map(row => row.map(({ text }) => text))).toEqual([['abc'], ['def'], ['gh']]);
    expect(rows([], 3)).toEqual([[]]);
  });
});

describe('Lines', () => {
  it('are the same when they are folded away', () => {
    const lines = new LogLines();
    lines.append(many(10 * BLOCK_LINES + 5));
    expect(lines.length).toBe(10 * BLOCK_LINES + 5);
    for (const index of [0, BLOCK_LINES - 1, BLOCK_LINES, 10 * BLOCK_LINES + 4]) {
      expect(lines.get(index).text).toBe(`line ${index}`);
    }
  });

  it('keep their time apart from their text', () => {
    const lines = new LogLines();
    lines.append([line('2026-11-25T03:01:45.855Z naïve ✓'), { kind: 'gap', bytes: 7 }]);
    expect(lines.get(0)).toEqual({
      kind: 'line',
      time: Date.UTC(2026, 10, 25, 3, 1, 45, 855),
      text: 'naïve ✓'
    });
    expect(lines.get(1)).toEqual({ kind: 'gap', time: null, text: '7' });
  });

  it('drop the oldest and count them', () => {
    const lines = new LogLines(3 * BLOCK_LINES);
    lines.append(many(5 * BLOCK_LINES + 1));
    expect(lines.length + lines.dropped).toBe(5 * BLOCK_LINES + 1);
    expect(lines.length).toBeLessThanOrEqual(3 * BLOCK_LINES);
    expect(lines.get(0).text).toBe(`line ${lines.dropped}`);
    expect(lines.rows).toBe(lines.length);
  });

  it('are bounded in bytes', () => {
    const lines = new LogLines(1_000_000, 1_000_000);
    lines.append(Array.from({ length: 100 * BLOCK_LINES }, () => line('x'.repeat(100))));
    expect(lines.bytes).toBeLessThanOrEqual(1_000_000);
  });

  it('know which row each is in', () => {
    const lines = new LogLines();
    lines.append([line('a'), line('b'.repeat(25)), line(''), ...many(2 * BLOCK_LINES)]);
    lines.layOut(10);
    expect(lines.rows).toBe(5 + 2 * BLOCK_LINES);
    expect(lines.lineAt(0)).toEqual({ line: 0, part: 0 });
    expect(lines.lineAt(3)).toEqual({ line: 1, part: 2 });
    expect(lines.lineAt(4)).toEqual({ line: 2, part: 0 });
    for (const number of [0, 2, 5, BLOCK_LINES, 2 * BLOCK_LINES]) {
      expect(lines.lineAt(lines.rowOf(number))).toEqual({ line: number, part: 0 });
    }
    lines.append([line('c'.repeat(15))]);
    expect(lines.rows).toBe(7 + 2 * BLOCK_LINES);
  });
});

describe('A search', () => {
  const finished = (search: LogSearch): LogSearch => {
    while (!search.advance()) {
      continue;
    }
    return search;
  };

  it('finds lines, goes around, and finds what comes later', () => {
    const lines = new LogLines();
    lines.append(many(3_000));
    const search = new LogSearch(lines);
    search.start('line 299');
    expect(finished(search).count).toBe(11);
    expect(search.go(1, -1)).toBe(299);
    expect(search.go(1, -1)).toBe(2990);
    expect(search.position).toBe(2);
    expect(search.go(-1, -1)).toBe(299);
    expect(search.go(-1, -1)).toBe(2999);
    lines.append([line('line 299 again')]);
    expect(finished(search).count).toBe(12);
  });

  it('takes capitals seriously where there are some', () => {
    const lines = new LogLines();
    lines.append([line('error'), line('\x1b[31mERR\x1b[0mOR')]);
    const search = new LogSearch(lines);
    search.start('error');
    expect(finished(search).count).toBe(2);
    search.start('ERROR');
    expect(finished(search).count).toBe(1);
  });

  it('forgets lines that went', () => {
    const lines = new LogLines(2 * BLOCK_LINES);
    lines.append(many(2 * BLOCK_LINES));
    const search = new LogSearch(lines);
    search.start('line 5');
    const before = finished(search).count;
    search.go(1, -1);
    lines.append(many(BLOCK_LINES, 100_000));
    expect(finished(search).count).toBeLessThan(before);
    expect(search.current).toBe(-1);
  });
});
