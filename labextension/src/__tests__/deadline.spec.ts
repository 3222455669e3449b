import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it, vi } from 'vitest';

import { Deadline } from '../deadline';
import { weaver } from './weavers';

describe('Deadline', () => {
  const deadlineOf = (hours: number) => {
    const api = {
      get: vi.fn(async () => weaver({ lifetime_hours: hours })),
      extend: vi.fn(async () => weaver({ lifetime_hours: 48 }))
    };
    return { api, deadline: new Deadline(api, 'weaver_1', nullTranslator.load('')) };
  };

  it('gives an hour more, as far as there may be', async () => {
    const { api, deadline } = deadlineOf(47);
    await deadline.extend();
    expect(api.extend).toHaveBeenCalledWith('weaver_1', 48);
    deadline.dispose();
  });

  it('says why there is no more', async () => {
    const { api, deadline } = deadlineOf(48);
    await expect(deadline.extend()).rejects.toThrow('A weaver lives 48 hours at most');
    expect(api.extend).not.toHaveBeenCalled();
  });
});
