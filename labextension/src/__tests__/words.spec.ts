import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { fewestHours, inWords, shareLeft, timeLeft, usualStart } from '../lifetimes';
import { endingSoon, newsOf } from '../news';
import { EVERYTHING, filtered } from '../weaverfilter';
import { nameOf, reasonOf, tagsOf } from '../words';
import { NOW, weaver } from './weavers';

const trans = nullTranslator.load('test');
const HOUR = 3_600_000;

describe('Words', () => {
  it('name a weaver by its tag `name`, else by its id', () => {
    expect(nameOf(weaver())).toBe('weaver_a');
    expect(nameOf(weaver({ tags: { name: 'demo' } }))).toBe('demo');
    expect(tagsOf(weaver({ tags: { name: 'demo', project: 'x', flag: '' } }))).toEqual([
      'project: x',
      'flag'
    ]);
  });

  it.each([
    [null, null, ''],
    ['Completed', 'exited with 0', ''],
    ['Error', 'exited with 3', 'Its program ended with exit code 3.'],
    ['Unschedulable', '0/1 nodes', /^No machine has room.* 0\/1 nodes$/],
    ['SomethingNew', null, 'SomethingNew'],
    ['SomethingNew', 'in a sentence', 'in a sentence']
  ])('say why: %s', (reason, detail, expected) => {
    expect(reasonOf(weaver({ reason, detail, exit_code: 3 }), trans)).toMatch(expected);
  });

  it.each([
    [59_999, '59 s'],
    [60_000, '1 min'],
    [HOUR, '1 h'],
    [HOUR + 61_000, '1 h 1 min']
  ])('say %i ms', (milliseconds, expected) => {
    expect(inWords(milliseconds, trans)).toBe(expected);
  });
});

describe('Time', () => {
  it('drains', () => {
    expect(timeLeft(weaver(), NOW)).toBe(2 * HOUR);
    expect(shareLeft(weaver(), NOW)).toBe(0.5);
    expect(timeLeft(weaver(), NOW + 3 * HOUR)).toBe(0);
    expect(fewestHours(weaver(), NOW)).toBe(3);
  });

  it('of a usual start is the one in the middle, of this image only', () => {
    const started = (image: string, started_at: string | null) => weaver({ image, started_at });
    expect(usualStart([], 'python')).toBeNull();
    const all = [1, 9, 5].map(second => started('python', `2026-03-03T10:00:0${second}Z`));
    expect(
      usualStart(
        [...all, started('shell', '2026-03-03T11:00:00Z'), started('python', null)],
        'python'
      )
    ).toBe(5000);
  });
});

describe('The filter', () => {
  const one = weaver({
    id: 'one',
    tags: { name: 'Demo', project: 'Loom' },
    created_at: '2026-03-03T09:00:00Z'
  });
  const two = weaver({ id: 'two', status: 'failed', owner_user_id: 'user_other', image: 'shell' });
  const ids = (part: object) =>
    filtered([one, two], { ...EVERYTHING, ...part }, 'user_me', id =>
      id === 'user_other' ? 'grace' : id
    ).map(weaver => weaver.id);

  it.each([
    [{}, ['two', 'one']],
    [{ text: 'demo' }, ['one']],
    [{ text: ' project:loom  DEMO ' }, ['one']],
    [{ text: 'grace' }, ['two']],
    [{ text: 'shell' }, ['two']],
    [{ status: 'failed' }, ['two']],
    [{ mineOnly: true }, ['one']],
    [{ text: 'demo', status: 'failed' }, []]
  ])('%j', (part, expected) => {
    expect(ids(part)).toEqual(expected);
  });
});

describe('News', () => {
  const failed = weaver({ status: 'failed', reason: 'OOMKilled' });

  it('are failures, and what ended by no wish of ours', () => {
    const news = (after: typeof failed, deleted = false) =>
      newsOf({ before: weaver(), after, deleted }, trans)?.kind ?? null;
    expect(news(failed)).toBe('error');
    expect(news(weaver({ status: 'succeeded' }))).toBeNull();
    expect(news(weaver({ reason: 'Expired' }), true)).toBe('info');
    expect(news(weaver({ reason: 'Deleted' }), true)).toBeNull();
  });

  it('tell of an end that is near, of what has not ended already', () => {
    const soon = (fields: object) => endingSoon([weaver(fields)], 15, NOW).length;
    expect(soon({ expires_at: '2026-03-03T12:15:00Z' })).toBe(1);
    expect(soon({ expires_at: '2026-03-03T12:16:00Z' })).toBe(0);
    expect(soon({ expires_at: '2026-03-03T12:01:00Z', status: 'failed' })).toBe(0);
  });
});
