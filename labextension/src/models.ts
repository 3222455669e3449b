/** The shapes of the wire, as docs/api.md tells them. */

export type Status = 'pending' | 'running' | 'succeeded' | 'failed' | 'terminating';

export interface IResources {
  memory_limit?: string | null;
  cpu_limit?: string | null;
}

export interface ITimelineEntry {
  at: string;
  event: string;
  detail: string | null;
}

export interface IIsolation {
  kind: string;
  enforced: string[];
}

export interface IWeaver {
  id: string;
  pod_name: string;
  status: Status;
  created_at: string;
  image: string;
  tags: Record<string, string>;
  lifetime_hours: number;
  age_hours: number;
  owner_user_id: string;
  org_id: string;
  repo_id: string | null;
  resources: IResources | null;
  command: string[] | null;
  args: string[] | null;
  workdir: string | null;
  expires_at: string;
  started_at: string | null;
  finished_at: string | null;
  exit_code: number | null;
  reason: string | null;
  detail: string | null;
  isolation: IIsolation;
  timeline: ITimelineEntry[];
  viewers: number;
}

/** The body of a create: only what is given is sent. */
export interface ICreateWeaver {
  image: string;
  org_id: string;
  repo_id?: string;
  env?: Record<string, string>;
  resources?: IResources;
  tags?: Record<string, string>;
  lifetime_hours?: number;
  command?: string[];
  args?: string[];
  workdir?: string;
}

export interface IOrg {
  id: string;
  name: string;
  role: string;
}

export interface IMe {
  user: { id: string; name: string };
  roles: string[];
  orgs: IOrg[];
  default_org_id: string | null;
  quotas: Record<string, { limit: number | null; used?: number }>;
  runtime: {
    name: string;
    default_image: string | null;
    images: Record<string, string>;
    isolation: IIsolation;
  };
}

export interface IUser {
  id: string;
  name: string;
}

export interface IRepo {
  id: string;
  name: string;
}

export interface IWsToken {
  token: string;
  expires_in: number;
}

export interface IErrorDetail {
  field: string;
  message: string;
}

export type WeaverChange =
  | { kind: 'added' | 'modified' | 'deleted'; weaver: IWeaver }
  | { kind: 'ready' }
  | { kind: 'reset' };
