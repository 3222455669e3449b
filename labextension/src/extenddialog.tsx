/** The dialog that asks how long a weaver is to live. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { type FormEvent, type ReactElement, useState } from 'react';

import type { WeaverApi } from './api';
import { Fault } from './fields';
import { useNow } from './hooks';
import { LifetimeField } from './lifetimefield';
import { fewestHours, MAX_HOURS } from './lifetimes';
import type { IWeaver } from './models';
import { faultsOf } from './weaverform';
import { nameOf } from './words';

export function ExtendForm(props: {
  api: WeaverApi;
  weaver: IWeaver;
  trans: TranslationBundle;
  close: (result: IWeaver | null) => void;
}): ReactElement {
  const { weaver, trans } = props;
  const [hours, setHours] = useState(Math.min(MAX_HOURS, weaver.lifetime_hours));
  const now = useNow(15_000);
  const [fault, setFault] = useState('');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      props.close(await props.api.extend(weaver.id, hours));
    } catch (error) {
      const faults = faultsOf(error);
      setFault(faults.get('hours') ?? faults.get('') ?? '');
    }
  };
  return (
    <form className="jp-LoomWeaver-form" onSubmit={event => void submit(event)}>
      <h2>
        <bdi>{trans.__('Extend %1', nameOf(weaver))}</bdi>
      </h2>
      <p>{trans.__('Counted from its creation; %1 hours at most.', MAX_HOURS)}</p>
      <LifetimeField
        hours={hours}
        change={setHours}
        start={Date.parse(weaver.created_at)}
        fewest={fewestHours(weaver, now)}
        trans={trans}
      />
      <Fault text={fault} />
      <div className="jp-LoomWeaver-formButtons">
        <button type="button" onClick={() => props.close(null)}>
          {trans.__('Cancel')}
        </button>
        <button type="submit" className="jp-LoomWeaver-primary">
          {trans.__('Set')}
        </button>
      </div>
    </form>
  );
}
