/** A weaver's time: what is left of it, and when it ends. The clock is passed in. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IWeaver } from './models';

export const MAX_HOURS = 48;
export const DEFAULT_HOURS = 24;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export function hasEnded(weaver: IWeaver): boolean {
  return weaver.status === 'succeeded' || weaver.status === 'failed';
}

/** Milliseconds; never below zero. */
export function timeLeft(weaver: IWeaver, now: number): number {
  return Math.max(0, Date.parse(weaver.expires_at) - now);
}

/** From 1, all of the lifetime, to 0. */
export function shareLeft(weaver: IWeaver, now: number): number {
  return Math.min(1, timeLeft(weaver, now) / (weaver.lifetime_hours * HOUR));
}

/** There is no more lifetime to be had. */
export function isAtLongest(weaver: IWeaver): boolean {
  return weaver.lifetime_hours >= MAX_HOURS;
}

/** Its lifetime in hours with `by` more, as far as there may be. Throws, in words for people, where there is none. */
export function longerBy(weaver: IWeaver, by: number, trans: TranslationBundle): number {
  if (isAtLongest(weaver)) {
    throw new Error(trans.__('A weaver lives %1 hours at most, which this one does', MAX_HOURS));
  }
  return Math.min(MAX_HOURS, weaver.lifetime_hours + by);
}

export function inWords(milliseconds: number, trans: TranslationBundle): string {
  if (milliseconds < MINUTE) {
    return trans.__('%1 s', Math.floor(milliseconds / SECOND));
  }
  const minutes = Math.floor(milliseconds / MINUTE);
  if (minutes < 60) {
    return trans.__('%1 min', minutes);
  }
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return rest ? trans.__('%1 h %2 min', hours, rest) : trans.__('%1 h', hours);
}

/** When a lifetime that begins at `start` ends, as people say it: with its day unless that is today. */
export function endOf(start: number, hours: number, now: number): string {
  const end = new Date(start + hours * HOUR);
  const sameDay = end.toDateString() === new Date(now).toDateString();
  const day = sameDay ? {} : ({ weekday: 'short' } as const);
  return end.toLocaleString(undefined, { ...day, hour: '2-digit', minute: '2-digit' });
}

/** The fewest whole hours from the creation on that are not over yet. */
export function fewestHours(weaver: IWeaver, now: number): number {
  return Math.min(MAX_HOURS, Math.floor((now - Date.parse(weaver.created_at)) / HOUR) + 1);
}

/** How long weavers of this image took to start, in the middle; null where none has. */
export function usualStart(weavers: Iterable<IWeaver>, image: string): number | null {
  const taken: number[] = [];
  for (const weaver of weavers) {
    if (weaver.image === image && weaver.started_at) {
      taken.push(Date.parse(weaver.started_at) - Date.parse(weaver.created_at));
    }
  }
  taken.sort((one, other) => one - other);
  return taken[Math.floor(taken.length / 2)] ?? null;
}
