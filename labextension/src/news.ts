/** What is worth a notification: one that nobody asked for, about a weaver of one's own. */
import type { TranslationBundle } from '@jupyterlab/translation';

import { hasEnded, timeLeft } from './lifetimes';
import type { IWeaver } from './models';
import type { IEnding } from './weaverstore';
import { nameOf, reasonOf } from './words';

export interface INews {
  kind: 'error' | 'info' | 'warning';
  text: string;
}

export function newsOf(ending: IEnding, trans: TranslationBundle): INews | null {
  const { after, deleted } = ending;
  const name = nameOf(after);
  if (deleted) {
    return after.reason === 'Expired' || after.reason === 'HolderLost'
      ? { kind: 'info', text: trans.__('Weaver %1 is gone. %2', name, reasonOf(after, trans)) }
      : null;
  }
  if (after.status === 'failed') {
    return { kind: 'error', text: trans.__('Weaver %1 failed. %2', name, reasonOf(after, trans)) };
  }
  return null;
}

/** Those that will end within so many minutes. */
export function endingSoon(weavers: Iterable<IWeaver>, minutes: number, now: number): IWeaver[] {
  return [...weavers].filter(
    weaver =>
      !hasEnded(weaver) &&
      weaver.status !== 'terminating' &&
      timeLeft(weaver, now) <= minutes * 60_000
  );
}
