/** Made-up weavers of the tests. */
import type { IMe, IWeaver } from '../models';

export const NOW = Date.parse('2026-03-03T12:00:00Z');

export function weaver(fields: Partial<IWeaver> = {}): IWeaver {
  return {
    id: 'weaver_a',
    pod_name: 'loom-weaver-a',
    status: 'running',
    created_at: '2026-03-03T10:00:00Z',
    image: 'python',
    tags: {},
    lifetime_hours: 4,
    age_hours: 2,
    owner_user_id: 'user_me',
    org_id: 'org',
    repo_id: null,
    resources: null,
    command: null,
    args: null,
    workdir: null,
    expires_at: '2026-03-03T14:00:00Z',
    started_at: '2026-03-03T10:00:02Z',
    finished_at: null,
    exit_code: null,
    reason: null,
    detail: null,
    isolation: { kind: 'bubblewrap', enforced: [] },
    timeline: [],
    viewers: 0,
    ...fields
  };
}

export function me(fields: Partial<IMe> = {}): IMe {
  return {
    user: { id: 'user_me', name: 'ada' },
    roles: [],
    orgs: [{ id: 'org', name: 'engine-room', role: 'member' }],
    default_org_id: 'org',
    quotas: {},
    runtime: {
      name: 'local',
      default_image: 'python',
      images: { python: 'The Python REPL', shell: 'A shell' },
      isolation: { kind: 'bubblewrap', enforced: [] }
    },
    ...fields
  };
}
