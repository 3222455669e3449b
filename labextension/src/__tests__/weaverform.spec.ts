import { describe, expect, it } from 'vitest';

import { ApiError } from '../api';
import { emptyForm, faultsOf, formLike, remembered, requestOf, withTemplate } from '../weaverform';
import { me, weaver } from './weavers';

describe('The form of a new weaver', () => {
  it('asks for nothing that was not filled in', () => {
    expect(requestOf(emptyForm(me()))).toEqual({
      image: 'python',
      org_id: 'org',
      lifetime_hours: 24
    });
  });

  it('sends all that was', () => {
    const form = {
      ...emptyForm(me()),
      name: ' demo ',
      cpu: '500m',
      memory: '1Gi',
      env: [
        { name: 'A', value: ' kept as it is ' },
        { name: '', value: '' }
      ],
      tags: [{ name: 'project', value: 'x' }],
      command: 'sh\n-c\necho a b',
      args: 'one',
      workdir: '/tmp'
    };
    expect(requestOf(form)).toEqual({
      image: 'python',
      org_id: 'org',
      lifetime_hours: 24,
      env: { A: ' kept as it is ' },
      tags: { project: 'x', name: 'demo' },
      resources: { cpu_limit: '500m', memory_limit: '1Gi' },
      command: ['sh', '-c', 'echo a b'],
      args: ['one'],
      workdir: '/tmp'
    });
  });

  it('copies a weaver', () => {
    const source = weaver({
      image: 'shell',
      tags: { name: 'demo', project: 'x' },
      resources: { memory_limit: '1Gi', cpu_limit: null },
      command: ['sh', '-c', 'x'],
      lifetime_hours: 7
    });
    expect(requestOf(formLike(source, emptyForm(me())))).toEqual({
      image: 'shell',
      org_id: 'org',
      lifetime_hours: 7,
      tags: { name: 'demo', project: 'x' },
      resources: { memory_limit: '1Gi' },
      command: ['sh', '-c', 'x']
    });
  });

  it('begins with the last choice, but never in an organization that one has left', () => {
    const last = { ...remembered(emptyForm(me())), image: 'shell', hours: 3 };
    expect(emptyForm(me(), last)).toMatchObject({ image: 'shell', hours: 3, orgId: 'org' });
    expect(emptyForm(me(), { ...last, orgId: 'gone' }).orgId).toBe('org');
    expect(Object.keys(last).sort()).toEqual(['cpu', 'hours', 'image', 'memory', 'orgId']);
  });

  it('takes a template', () => {
    const form = withTemplate(
      { name: 'big', memory_limit: '8Gi', env: { A: '1' }, command: ['top'] },
      emptyForm(me())
    );
    expect(form).toMatchObject({ image: 'python', memory: '8Gi', command: 'top', hours: 24 });
    expect(form.env).toEqual([{ name: 'A', value: '1' }]);
  });

  it('shows each fault where it belongs', () => {
    const error = new ApiError(400, 'bad_request', 'all of it', [
      { field: 'env.A B', message: 'bad name' },
      { field: 'resources.memory_limit', message: 'bad memory' },
      { field: 'resources.cpu_limit', message: 'bad cpu' },
      { field: 'tags.name', message: 'too long' },
      { field: 'image', message: 'not offered' },
      { field: 'mystery', message: 'is unknown' }
    ]);
    expect(Object.fromEntries(faultsOf(error))).toEqual({
      env: 'A B: bad name',
      memory: 'bad memory',
      cpu: 'bad cpu',
      name: 'too long',
      image: 'not offered',
      '': 'mystery is unknown'
    });
    expect(faultsOf(new ApiError(429, 'too_many_weavers', 'Enough')).get('')).toBe('Enough');
  });
});
