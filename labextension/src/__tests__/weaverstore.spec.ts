import { describe, expect, it } from 'vitest';

import { WeaverStore } from '../weaverstore';
import { me, weaver } from './weavers';

const a = weaver({ id: 'a' });
const b = weaver({ id: 'b' });

function listed(...weavers: (typeof a)[]): WeaverStore {
  const store = new WeaverStore();
  list(store, ...weavers);
  return store;
}

function list(store: WeaverStore, ...weavers: (typeof a)[]): void {
  store.beginList();
  weavers.forEach(each => store.apply({ kind: 'added', weaver: each }));
  store.apply({ kind: 'ready' });
}

describe('What the page knows', () => {
  it('is what the stream listed, then every change', () => {
    const store = listed(a);
    expect(store.link).toBe('live');
    store.apply({ kind: 'added', weaver: b });
    store.apply({ kind: 'deleted', weaver: a });
    expect([...store.weavers.keys()]).toEqual(['b']);
  });

  it('forgets what a new list does not name, and not before that list is complete', () => {
    const store = listed(a, b);
    store.apply({ kind: 'reset' });
    store.apply({ kind: 'added', weaver: b });
    expect(store.weavers.size).toBe(2);
    store.apply({ kind: 'ready' });
    expect([...store.weavers.keys()]).toEqual(['b']);
  });

  it('stays while the link is lost', () => {
    const store = listed(a);
    store.setLink('lost', 'why');
    expect([store.link, store.problem, store.weavers.size]).toEqual(['lost', 'why', 1]);
  });

  it('tells of a state that changes while we look, and of none that is listed', () => {
    const store = new WeaverStore();
    const moves: string[] = [];
    store.moved.connect((_, { before, after, deleted }) =>
      moves.push(`${before?.status} ${after.status} ${deleted}`)
    );
    list(store, a);
    list(store, { ...a, status: 'failed' });
    store.apply({ kind: 'modified', weaver: { ...a, status: 'failed', viewers: 2 } });
    expect(moves).toEqual([]);
    store.apply({ kind: 'modified', weaver: { ...a, status: 'terminating' } });
    store.apply({ kind: 'deleted', weaver: { ...a, status: 'terminating' } });
    expect(moves).toEqual(['failed terminating false', 'terminating terminating true']);
  });

  it('is not put back by an answer that events have overtaken', () => {
    const created = { at: '2026-03-03T12:00:00Z', event: 'Created', detail: null };
    const pending = weaver({ id: 'c', status: 'pending', timeline: [created] });
    const running = weaver({
      id: 'c',
      status: 'running',
      timeline: [created, { ...created, event: 'Started' }]
    });
    const store = listed(a);
    store.apply({ kind: 'added', weaver: pending });
    store.apply({ kind: 'modified', weaver: running });
    store.put(pending);
    expect(store.weavers.get('c')).toBe(running);
    store.put({ ...running, lifetime_hours: 2 });
    expect(store.weavers.get('c')?.lifetime_hours).toBe(2);
  });

  it('knows who may do what', () => {
    const store = listed(a);
    const foreign = weaver({ owner_user_id: 'user_other' });
    store.setMe(me());
    expect([store.seesAll, store.mayChange(a), store.mayChange(foreign)]).toEqual([
      false,
      true,
      false
    ]);
    store.setMe(me({ roles: ['support'] }));
    expect([store.seesAll, store.mayChange(a), store.mayChange(foreign)]).toEqual([
      true,
      true,
      false
    ]);
    store.setMe(me({ roles: ['system_admin'] }));
    expect(store.mayChange(foreign)).toBe(true);
    store.setUserNames([{ id: 'user_other', name: 'grace' }]);
    expect([store.ownerName('user_other'), store.ownerName('user_x')]).toEqual(['grace', 'user_x']);
  });
});
