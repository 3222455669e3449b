import { describe, expect, it } from 'vitest';

import { parseDotenv } from '../dotenv';

describe('A pasted .env', () => {
  it('is read with comments, quotes, export and values that hold an equals sign', () => {
    const text = [
      '# comment',
      '',
      'A=1',
      'export B = two words # why',
      'C="x\\ny # no comment"',
      "D='as $IT is'",
      'E=a=b',
      'F='
    ].join('\r\n');
    expect(parseDotenv(text)).toEqual([
      { name: 'A', value: '1' },
      { name: 'B', value: 'two words' },
      { name: 'C', value: 'x\ny # no comment' },
      { name: 'D', value: 'as $IT is' },
      { name: 'E', value: 'a=b' },
      { name: 'F', value: '' }
    ]);
  });

  it.each(['', 'just a word', 'A=1\nnot a variable', '1A=2', '# only a comment'])(
    'is none: %j',
    text => {
      expect(parseDotenv(text)).toBeNull();
    }
  );
});
