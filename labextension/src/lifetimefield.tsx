/** How long a weaver may live: a slider, with the end as a time of the clock. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { Field } from './fields';
import { useNow } from './hooks';
import { endOf, MAX_HOURS } from './lifetimes';

export function LifetimeField(props: {
  hours: number;
  change: (hours: number) => void;
  /** When the lifetime began; now, where it has not. */
  start?: number;
  fewest?: number;
  fault?: string | undefined;
  trans: TranslationBundle;
}): ReactElement {
  const { hours, trans } = props;
  const now = useNow(15_000);
  const words = trans.__('%1 h, until %2', hours, endOf(props.start ?? now, hours, now));
  return (
    <Field label={trans.__('Lifetime')} fault={props.fault}>
      {control => (
        <div className="jp-LoomWeaver-slider">
          <input
            {...control}
            type="range"
            min={props.fewest ?? 1}
            max={MAX_HOURS}
            value={hours}
            aria-valuetext={words}
            onChange={event => props.change(Number(event.target.value))}
          />
          <output>{words}</output>
        </div>
      )}
    </Field>
  );
}
