import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Deletions } from '../deletions';

describe('Deletions', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('sends what waits when the page goes, by a call that outlives it', () => {
    const api = { delete: vi.fn(async () => undefined) };
    const deletions = new Deletions(api);
    deletions.start('one');
    deletions.start('other');
    deletions.undo('other');
    window.dispatchEvent(new Event('pagehide'));
    vi.runAllTimers();
    expect(api.delete.mock.calls).toEqual([['one', true]]);
  });
});
