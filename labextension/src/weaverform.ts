/** What somebody fills in for a new weaver, and what becomes of it on the wire. */
import { ApiError } from './api';
import type { IPair } from './dotenv';
import { DEFAULT_HOURS } from './lifetimes';
import type { ICreateWeaver, IMe, IResources, IWeaver } from './models';

export interface IWeaverForm {
  name: string;
  image: string;
  orgId: string;
  repoId: string;
  cpu: string;
  memory: string;
  hours: number;
  env: IPair[];
  tags: IPair[];
  /** One argument a line. */
  command: string;
  args: string;
  workdir: string;
}

/** A choice that an administrator or the user has named in the settings. */
export interface ITemplate {
  name: string;
  image?: string;
  cpu_limit?: string;
  memory_limit?: string;
  lifetime_hours?: number;
  env?: Record<string, string>;
  tags?: Record<string, string>;
  command?: string[];
  args?: string[];
  workdir?: string;
}

/** What is kept from one create to the next: nothing that may be secret. */
export type Remembered = Pick<IWeaverForm, 'image' | 'orgId' | 'cpu' | 'memory' | 'hours'>;

export function emptyForm(me: IMe, remembered: Partial<Remembered> = {}): IWeaverForm {
  const isMember = me.orgs.some(org => org.id === remembered.orgId);
  return {
    name: '',
    image: remembered.image || me.runtime.default_image || '',
    orgId: (isMember && remembered.orgId) || me.default_org_id || me.orgs[0]?.id || '',
    repoId: '',
    cpu: remembered.cpu ?? '',
    memory: remembered.memory ?? '',
    hours: remembered.hours ?? DEFAULT_HOURS,
    env: [],
    tags: [],
    command: '',
    args: '',
    workdir: ''
  };
}

/** The server never shows a weaver's environment: the copy begins without. */
export function formLike(weaver: IWeaver, base: IWeaverForm): IWeaverForm {
  const { name = '', ...tags } = weaver.tags;
  return {
    ...base,
    name,
    image: weaver.image,
    orgId: weaver.org_id,
    repoId: weaver.repo_id ?? '',
    cpu: weaver.resources?.cpu_limit ?? '',
    memory: weaver.resources?.memory_limit ?? '',
    hours: weaver.lifetime_hours,
    tags: pairs(tags),
    command: lines(weaver.command),
    args: lines(weaver.args),
    workdir: weaver.workdir ?? ''
  };
}

export function withTemplate(template: ITemplate, base: IWeaverForm): IWeaverForm {
  return {
    ...base,
    image: template.image ?? base.image,
    cpu: template.cpu_limit ?? base.cpu,
    memory: template.memory_limit ?? base.memory,
    hours: template.lifetime_hours ?? base.hours,
    env: template.env ? pairs(template.env) : base.env,
    tags: template.tags ? pairs(template.tags) : base.tags,
    command: template.command ? lines(template.command) : base.command,
    args: template.args ? lines(template.args) : base.args,
    workdir: template.workdir ?? base.workdir
  };
}

export function remembered(form: IWeaverForm): Remembered {
  const { image, orgId, cpu, memory, hours } = form;
  return { image, orgId, cpu, memory, hours };
}

export function requestOf(form: IWeaverForm): ICreateWeaver {
  const resources: IResources = {};
  if (form.cpu.trim()) {
    resources.cpu_limit = form.cpu.trim();
  }
  if (form.memory.trim()) {
    resources.memory_limit = form.memory.trim();
  }
  const tags = { ...record(form.tags), ...(form.name.trim() ? { name: form.name.trim() } : {}) };
  return {
    image: form.image.trim(),
    org_id: form.orgId,
    lifetime_hours: form.hours,
    ...(form.repoId ? { repo_id: form.repoId } : {}),
    ...(form.env.some(isFilled) ? { env: record(form.env) } : {}),
    ...(Object.keys(tags).length ? { tags } : {}),
    ...(Object.keys(resources).length ? { resources } : {}),
    ...(form.command ? { command: form.command.split('\n') } : {}),
    ...(form.args ? { args: form.args.split('\n') } : {}),
    ...(form.workdir.trim() ? { workdir: form.workdir.trim() } : {})
  };
}

/** The server's word for each part of the form; under '' what belongs to none of them. */
export function faultsOf(error: unknown): Map<string, string> {
  const faults = new Map<string, string>();
  const details = error instanceof ApiError ? error.details : [];
  for (const { field, message } of details) {
    const [first = '', second] = field.split('.');
    if (first === 'tags' && second === 'name') {
      faults.set('name', message);
    } else if (first === 'resources') {
      faults.set(second === 'cpu_limit' ? 'cpu' : 'memory', message);
    } else if (FIELDS.has(first)) {
      faults.set(
        FIELDS.get(first)!,
        second ? `${field.slice(first.length + 1)}: ${message}` : message
      );
    } else {
      faults.set('', `${field} ${message}`);
    }
  }
  if (faults.size === 0) {
    faults.set('', error instanceof Error ? error.message : String(error));
  }
  return faults;
}

const FIELDS = new Map([
  ['image', 'image'],
  ['org_id', 'orgId'],
  ['repo_id', 'repoId'],
  ['lifetime_hours', 'hours'],
  ['env', 'env'],
  ['tags', 'tags'],
  ['command', 'command'],
  ['args', 'args'],
  ['workdir', 'workdir']
]);

function isFilled(pair: IPair): boolean {
  return pair.name.trim() !== '' || pair.value !== '';
}

function record(list: IPair[]): Record<string, string> {
  return Object.fromEntries(list.filter(isFilled).map(({ name, value }) => [name.trim(), value]));
}

function pairs(values: Record<string, string>): IPair[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

function lines(values: string[] | null): string {
  return values?.join('\n') ?? '';
}
