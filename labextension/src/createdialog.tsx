/** The dialog that asks for a new weaver. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { type FormEvent, type ReactElement, useEffect, useRef, useState } from 'react';

import type { WeaverApi } from './api';
import { CheckBox, ChoiceField, Fault, LinesField, PairsField, TextField } from './fields';
import { LifetimeField } from './lifetimefield';
import type { IMe, IRepo, IWeaver } from './models';
import { faultsOf, type ITemplate, type IWeaverForm, requestOf, withTemplate } from './weaverform';

export interface ICreateResult {
  weaver: IWeaver;
  form: IWeaverForm;
  opensTerminal: boolean;
}

interface ICreateProps {
  api: WeaverApi;
  me: IMe;
  initial: IWeaverForm;
  templates: readonly ITemplate[];
  trans: TranslationBundle;
  close: (result: ICreateResult | null) => void;
}

interface IPartProps extends ICreateProps {
  form: IWeaverForm;
  set: (part: Partial<IWeaverForm>) => void;
  faults: ReadonlyMap<string, string>;
}

export function CreateForm(props: ICreateProps): ReactElement {
  const { trans } = props;
  const [form, setForm] = useState(props.initial);
  const [faults, setFaults] = useState<ReadonlyMap<string, string>>(new Map());
  const [isBusy, setBusy] = useState(false);
  const [opensTerminal, setOpensTerminal] = useState(true);
  // The same request sent again for a lost answer makes no second weaver; another request has another key.
  const key = useRef('');
  const set = (part: Partial<IWeaverForm>): void => {
    key.current = '';
    setForm({ ...form, ...part });
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFaults(new Map());
    key.current ||= newKey();
    try {
      const weaver = await props.api.create(requestOf(form), key.current);
      props.close({ weaver, form, opensTerminal });
    } catch (error) {
      setFaults(faultsOf(error));
      setBusy(false);
    }
  };
  const parts = { ...props, form, set, faults };
  return (
    <form className="jp-LoomWeaver-form" onSubmit={event => void submit(event)} noValidate>
      <h2>{trans.__('New weaver')}</h2>
      <div className="jp-LoomWeaver-formBody">
        <MainFields {...parts} />
        <PairsField
          legend={trans.__('Environment')}
          pairs={form.env}
          change={env => set({ env })}
          help={trans.__('Paste a .env file into a name to fill in all of it.')}
          fault={faults.get('env')}
          isSecret
          trans={trans}
        />
        <PairsField
          legend={trans.__('Tags')}
          pairs={form.tags}
          change={tags => set({ tags })}
          help={trans.__('To find it by later, such as project: demo.')}
          fault={faults.get('tags')}
          trans={trans}
        />
        <MoreFields {...parts} />
      </div>
      <Fault text={faults.get('')} />
      <div className="jp-LoomWeaver-formButtons">
        <CheckBox
          label={trans.__('Open its terminal')}
          checked={opensTerminal}
          change={setOpensTerminal}
        />
        <button type="button" onClick={() => props.close(null)}>
          {trans.__('Cancel')}
        </button>
        <button type="submit" className="jp-LoomWeaver-primary" disabled={isBusy}>
          {isBusy ? trans.__('Creating…') : trans.__('Create')}
        </button>
      </div>
    </form>
  );
}

function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16)).join('-');
}

function MainFields(props: IPartProps): ReactElement {
  const { form, set, faults, me, templates, trans } = props;
  const offered = me.runtime.images;
  const [template, setTemplate] = useState('');
  return (
    <>
      {templates.length > 0 && (
        <ChoiceField
          label={trans.__('Template')}
          value={template}
          change={name => {
            const found = templates.find(each => each.name === name);
            setTemplate(name);
            set(found ? withTemplate(found, props.initial) : props.initial);
          }}
          choices={[
            ['', trans.__('None')],
            ...templates.map(({ name }): [string, string] => [name, name])
          ]}
        />
      )}
      <TextField
        label={trans.__('Name')}
        value={form.name}
        change={name => set({ name })}
        help={trans.__('Yours to choose; kept as its tag “name”.')}
        fault={faults.get('name')}
        focus
      />
      <TextField
        label={trans.__('Image')}
        value={form.image}
        change={image => set({ image })}
        help={offered[form.image] ?? trans.__('One of: %1', Object.keys(offered).join(', '))}
        fault={faults.get('image')}
        suggestions={offered}
      />
      {me.orgs.length > 1 && (
        <ChoiceField
          label={trans.__('Organization')}
          value={form.orgId}
          change={orgId => set({ orgId, repoId: '' })}
          choices={me.orgs.map(({ id, name }) => [id, name])}
          fault={faults.get('orgId')}
        />
      )}
      {me.orgs.length <= 1 && <Fault text={faults.get('orgId')} />}
      <div className="jp-LoomWeaver-pairOfFields">
        <TextField
          label={trans.__('CPU limit')}
          value={form.cpu}
          change={cpu => set({ cpu })}
          help={trans.__('Cores: 2, or 500m for half a core.')}
          fault={faults.get('cpu')}
        />
        <TextField
          label={trans.__('Memory limit')}
          value={form.memory}
          change={memory => set({ memory })}
          help={trans.__('Such as 512Mi or 4Gi.')}
          fault={faults.get('memory')}
        />
      </div>
      <LifetimeField
        hours={form.hours}
        change={hours => set({ hours })}
        fault={faults.get('hours')}
        trans={trans}
      />
    </>
  );
}

function MoreFields(props: IPartProps): ReactElement {
  const { form, set, faults, trans } = props;
  const isUsed = ['command', 'args', 'workdir', 'repoId'].some(
    name => form[name as keyof IWeaverForm] || faults.has(name)
  );
  return (
    <details className="jp-LoomWeaver-moreFields" open={isUsed || undefined}>
      <summary>{trans.__('More')}</summary>
      <LinesField
        label={trans.__('Command')}
        value={form.command}
        change={command => set({ command })}
        help={trans.__('Instead of the image’s program; one argument a line.')}
        fault={faults.get('command')}
      />
      <LinesField
        label={trans.__('Arguments')}
        value={form.args}
        change={args => set({ args })}
        help={trans.__('For the program; one a line.')}
        fault={faults.get('args')}
      />
      <TextField
        label={trans.__('Working directory')}
        value={form.workdir}
        change={workdir => set({ workdir })}
        help={trans.__('An absolute path; made where it is missing.')}
        fault={faults.get('workdir')}
      />
      <RepoField {...props} />
    </details>
  );
}

function RepoField(props: IPartProps): ReactElement | null {
  const { api, form, set, faults, trans } = props;
  const [repos, setRepos] = useState<IRepo[]>([]);
  useEffect(() => {
    let isCurrent = true;
    api
      .repos(form.orgId)
      .then(found => isCurrent && setRepos(found))
      // Without the list there is nothing to choose from; the rest of the form is as good.
      .catch(() => isCurrent && setRepos([]));
    return () => {
      isCurrent = false;
    };
  }, [api, form.orgId]);
  if (repos.length === 0) {
    return null;
  }
  return (
    <ChoiceField
      label={trans.__('Repository')}
      value={form.repoId}
      change={repoId => set({ repoId })}
      choices={[
        ['', trans.__('None')],
        ...repos.map(({ id, name }): [string, string] => [id, name])
      ]}
      help={trans.__('Its secrets become environment variables.')}
      fault={faults.get('repoId')}
    />
  );
}
