import { Terminal } from '@xterm/headless';
import type { Terminal as BrowserTerminal } from '@xterm/xterm';
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { pasteable } from '../paste';
import { guardQueries } from '../terminalqueries';
import { countdown, lastWords, linkText, watchingText } from '../terminaltexts';

const trans = nullTranslator.load('loom_weaver');
const QUESTIONS = [
  '\x1b[c',
  '\x1b[>c',
  '\x1b[5n',
  '\x1b[6n',
  '\x1b[?6n',
  '\x1b[4$p',
  '\x1b[?2004$p',
  '\x1bP$qm\x1b\\'
];

function answers(question: string, mayAnswer: boolean): Promise<string> {
  const terminal = new Terminal({ allowProposedApi: true });
  guardQueries(terminal as unknown as BrowserTerminal, () => mayAnswer);
  let answer = '';
  terminal.onData(data => (answer += data));
  return new Promise(resolve => terminal.write(question, () => resolve(answer)));
}

describe('The questions of programs', () => {
  it.each(QUESTIONS)('are answered by whoever typed last: %j', async question => {
    expect(await answers(question, true)).not.toBe('');
  });

  it.each(QUESTIONS)('are not answered by others, nor in a replay: %j', async question => {
    expect(await answers(question, false)).toBe('');
  });
});

describe('A pasted text', () => {
  it('cannot end its own paste', () => {
    expect(pasteable('a \x1b[201~\ntouch /tmp/pwned\n')).toBe('a [201~\ntouch /tmp/pwned\n');
  });

  it('keeps tabs, newlines and all that is printed', () => {
    expect(pasteable('a\tb\r\nc ✅ é\n')).toBe('a\tb\r\nc ✅ é\n');
  });
});

describe('What a terminal says', () => {
  const over = { state: 'over', problem: '', exit: null, closeCode: 1000 } as const;

  it.each([
    [{ ...over, exit: exit(3, 'Error', 'exited with 3') }, 'ended with exit code 3.'],
    [{ ...over, exit: exit(137, 'OOMKilled', 'out of memory') }, '137. OOMKilled: out of memory'],
    [{ ...over, exit: exit(null, 'Deleted', null) }, 'has ended. Deleted'],
    [{ ...over, closeCode: 4404 }, 'no such weaver'],
    [{ ...over, closeCode: 4403, problem: 'not yours' }, 'no access to this weaver: not yours'],
    [{ ...over, closeCode: null, problem: 'sign in' }, 'cannot be opened: sign in']
  ])('are last words: %#', (link, words) => {
    expect(lastWords(link, trans)).toContain(words);
  });

  it('is nothing while there is a link', () => {
    expect(lastWords({ ...over, state: 'waiting' }, trans)).toBe('');
  });

  it('is when the next attempt is made', () => {
    const waiting = { ...over, state: 'waiting', retryAt: 5_000, position: null } as const;
    expect(linkText(waiting, 0, trans)).toContain('in 5 s');
  });

  it('is who has it open, each once', () => {
    const viewers = (['full', 'full', 'read_only'] as const).map((access, index) => ({
      id: index,
      user: { id: access, name: access === 'full' ? 'ada' : 'sam' },
      access,
      primary: index === 0
    }));
    expect(watchingText(viewers, trans)).toBe('3 viewers: ada, sam (read-only)');
    expect(watchingText(viewers.slice(0, 1), trans)).toBe('');
  });

  it('is how long there is', () => {
    expect([countdown(245_000), countdown(59_000), countdown(-1)]).toEqual([
      '4:05',
      '0:59',
      '0:00'
    ]);
  });

  function exit(code: number | null, reason: string, detail: string | null) {
    return { type: 'exit' as const, code, reason, detail };
  }
});
