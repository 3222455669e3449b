/**
 * Programs ask terminals questions: who are you, where is the cursor, which colours have you. xterm answers each by
 * itself. With several viewers a program would get several answers, and with a replay answers to questions of long ago,
 * which it takes for typed text. So a question is heard only while this terminal is the one to answer.
 */

import type { IDisposable, IFunctionIdentifier, Terminal } from '@xterm/xterm';

const CSI: readonly IFunctionIdentifier[] = [
  { final: 'c' },
  { prefix: '>', final: 'c' },
  { prefix: '=', final: 'c' },
  { prefix: '>', final: 'q' },
  { final: 'n' },
  { prefix: '?', final: 'n' },
  { intermediates: '$', final: 'p' },
  { prefix: '?', intermediates: '$', final: 'p' }
];
/** Colours are set or asked for by the same sequence. */
const COLOURS = [4, 10, 11, 12];
/** Puts a text on the clipboard of whoever looks on: only as it happens, not in a replay. */
const CLIPBOARD = 52;

/** Call it after the addons are loaded: what is registered last is asked first. */
export function guardQueries(terminal: Terminal, mayAnswer: () => boolean): IDisposable[] {
  const { parser } = terminal;
  const swallow = (): boolean => !mayAnswer();
  return [
    ...CSI.map(sequence => parser.registerCsiHandler(sequence, swallow)),
    ...COLOURS.map(code =>
      parser.registerOscHandler(code, data => data.includes('?') && !mayAnswer())
    ),
    parser.registerOscHandler(CLIPBOARD, swallow),
    parser.registerDcsHandler({ intermediates: '$', final: 'q' }, swallow)
  ];
}
