/** What a terminal says about its link and its weaver, in words. No DOM. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Attachment } from './attachment';
import { CloseCode, type IViewer } from './terminalprotocol';

export function linkText(
  link: Pick<Attachment, 'state' | 'retryAt' | 'exit' | 'closeCode' | 'position'>,
  now: number,
  trans: TranslationBundle
): string {
  switch (link.state) {
    case 'connected':
      return trans.__('Connected');
    case 'connecting':
      return link.position === null ? trans.__('Connecting…') : trans.__('Connecting again…');
    case 'waiting':
      return waitText(link.retryAt ?? now, now, trans);
    case 'over':
      return link.closeCode === CloseCode.Normal || link.closeCode === CloseCode.Ended
        ? trans.__('Ended')
        : trans.__('Not connected');
  }
}

/** Who has it open, each by name once; empty where that is nobody else. */
export function watchingText(viewers: readonly IViewer[], trans: TranslationBundle): string {
  const count = viewers.length;
  const names = new Set(
    viewers.map(({ user, access }) =>
      access === 'read_only' ? trans.__('%1 (read-only)', user.name) : user.name
    )
  );
  const all = [...names].join(', ');
  return count > 1 ? trans._n('%1 viewer: %2', '%1 viewers: %2', count, all) : '';
}

function waitText(retryAt: number, now: number, trans: TranslationBundle): string {
  const seconds = Math.ceil((retryAt - now) / 1000);
  return seconds <= 1
    ? trans.__('Disconnected, trying again…')
    : trans.__('Disconnected, trying again in %1 s', seconds);
}

/** The last words of a terminal, once no link will be made any more; empty before. */
export function lastWords(
  link: Pick<Attachment, 'state' | 'exit' | 'closeCode' | 'problem'>,
  trans: TranslationBundle
): string {
  if (link.state !== 'over') {
    return '';
  }
  switch (link.closeCode) {
    case CloseCode.NoAccess:
      return trans.__('You have no access to this weaver: %1', link.problem);
    case CloseCode.NoWeaver:
      return trans.__('There is no such weaver any more: it was deleted, or its lifetime is over.');
    case null:
      return trans.__('The terminal cannot be opened: %1', link.problem);
    default:
      return exitText(link, trans);
  }
}

function exitText(link: Pick<Attachment, 'exit' | 'problem'>, trans: TranslationBundle): string {
  const { exit, problem } = link;
  if (exit === null) {
    return trans.__('The weaver has ended: %1', problem);
  }
  const plain = exit.reason === 'Completed' || exit.reason === 'Error';
  const story = plain ? '' : [exit.reason, exit.detail].filter(part => part !== null).join(': ');
  if (exit.code === null) {
    return trans.__('The weaver has ended. %1', story).trim();
  }
  return trans.__('The weaver has ended with exit code %1. %2', exit.code, story).trim();
}

/** `4:05` */
export function countdown(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
