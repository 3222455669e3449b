/** The last choice of the create dialog, kept in this browser. */
import type { Remembered } from './weaverform';

const KEY = 'loom-weaver:last-choice';

export function recall(): Partial<Remembered> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    // A browser that keeps nothing, or something else under our key.
    return {};
  }
}

export function remember(choice: Remembered): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(choice));
  } catch {
    // A browser that keeps nothing: the next dialog begins with the defaults.
  }
}
