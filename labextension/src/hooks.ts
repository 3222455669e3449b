/** How React hears of what changes outside of it. */
import type { ISignal } from '@lumino/signaling';
import { useEffect, useReducer, useState } from 'react';

/** Draws again after `signal`, at most once a frame however often it comes. */
export function useChanges(signal: ISignal<unknown, unknown>): void {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let frame = 0;
    const later = (): void => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        draw();
      });
    };
    signal.connect(later);
    // Something may have happened between the first drawing and now.
    later();
    return () => {
      signal.disconnect(later);
      cancelAnimationFrame(frame);
    };
  }, [signal]);
}

/** The time, looked at again every so many milliseconds, which may depend on the time. */
export function useNow(every: number | ((now: number) => number)): number {
  const [now, setNow] = useState(Date.now);
  const pause = typeof every === 'number' ? every : every(now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), pause);
    return () => window.clearInterval(timer);
  }, [pause]);
  return now;
}
