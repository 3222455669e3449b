import { describe, expect, it, vi } from 'vitest';

import { type ILiveModel, LiveModels, specOf } from '../notebookspec';

const ID = 'weaver_abc123';

describe('specOf', () => {
  it('takes what a notebook says of a weaver', () => {
    expect(specOf({ id: ID, view: 'logs', tail: 5, model_id: 'm' })).toEqual({
      id: ID,
      view: 'logs',
      tail: 5,
      modelId: 'm'
    });
  });

  it('shows a card where the view is not known', () => {
    expect(specOf({ id: ID, view: 'hologram', tail: -1 })).toEqual({ id: ID, view: 'card' });
  });

  it.each([null, 'x', {}, { id: 5 }, { id: '../../etc' }, { id: 'weaver_A b' }])(
    'refuses %j',
    data => {
      expect(specOf(data)).toBeNull();
    }
  );
});

describe('LiveModels', () => {
  const model = (): ILiveModel => ({ set: vi.fn(), get: vi.fn(), save_changes: vi.fn() });

  it('finds a model that is there, and one that comes', () => {
    const models = new LiveModels();
    const found = vi.fn();
    const [one, other] = [model(), model()];
    models.add('one', one);
    models.whenThere('one', found);
    models.whenThere('other', found);
    models.add('other', other);
    expect(found.mock.calls).toEqual([[one], [other]]);
  });

  it('forgets who does not wait any more, and what is closed', () => {
    const models = new LiveModels();
    const found = vi.fn();
    models.whenThere('one', found)();
    models.add('one', model());
    models.remove('one');
    models.whenThere('one', found);
    expect(found).not.toHaveBeenCalled();
  });
});
