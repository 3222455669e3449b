/** What a log view says in words, and a log as plain text. */

import type { TranslationBundle } from '@jupyterlab/translation';

import { gapText } from './gaptext';
import type { LogLines } from './loglines';
import type { LogStream } from './logstream';

/** A browser needs the address for as long as it asks where to save. */
const SAVED_WITHIN = 60_000;

export function timeText(time: number): string {
  return new Date(time).toISOString();
}

/** Each kept line with its newline. */
export function lineTexts(
  lines: LogLines,
  timestamps: boolean,
  trans: TranslationBundle
): string[] {
  return Array.from({ length: lines.length }, (_, index) => {
    const { kind, time, text } = lines.get(index);
    if (kind === 'gap') {
      return `${gapText(text === '' ? null : Number(text), trans)}\n`;
    }
    const prefix = timestamps && time !== null ? `${timeText(time)} ` : '';
    return `${prefix}${lines.plain(index)}\n`;
  });
}

export function downloadText(name: string, parts: string[]): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type: 'text/plain;charset=utf-8' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), SAVED_WITHIN);
}

/** What is to be said about a stream; empty while all is well. */
export function logNotice(stream: LogStream, isSeen: boolean, trans: TranslationBundle): string {
  switch (stream.state) {
    case 'paused':
      return isSeen
        ? trans.__('Paused, as a browser follows two logs at a time. A click here goes on.')
        : '';
    case 'waiting':
      return trans.__('The connection broke; trying again. %1', stream.problem).trim();
    case 'failed':
      return trans.__('The log cannot be read: %1', stream.problem);
    case 'ended':
      return endText(stream, trans);
    default:
      return '';
  }
}

function endText(stream: LogStream, trans: TranslationBundle): string {
  const { end } = stream;
  if (end === null) {
    return trans.__('The log is complete');
  }
  const code = end.exit_code === null ? '' : trans.__(' with exit code %1', end.exit_code);
  const reason = end.reason === null ? '' : ` (${end.reason})`;
  return trans.__('The log is complete: the weaver ended%1%2', code, reason);
}
