/** Which weavers the panel is to show. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { Status } from './models';
import type { IFilter } from './weaverfilter';
import { statusWord } from './words';

const STATUSES: Status[] = ['pending', 'running', 'succeeded', 'failed', 'terminating'];

export function FilterBar(props: {
  filter: IFilter;
  setFilter: (filter: IFilter) => void;
  seesAll: boolean;
  trans: TranslationBundle;
}): ReactElement {
  const { filter, setFilter, trans } = props;
  return (
    <div className="jp-LoomWeaver-filter" role="search" aria-label={trans.__('Filter weavers')}>
      <input
        type="search"
        className="jp-LoomWeaver-input"
        placeholder={trans.__('Name, image, key:value')}
        aria-label={trans.__('Filter by text or tag')}
        value={filter.text}
        onChange={event => setFilter({ ...filter, text: event.target.value })}
      />
      <select
        className="jp-LoomWeaver-input"
        aria-label={trans.__('Filter by state')}
        value={filter.status}
        onChange={event => setFilter({ ...filter, status: event.target.value as Status | '' })}
      >
        <option value="">{trans.__('Any state')}</option>
        {STATUSES.map(status => (
          <option key={status} value={status}>
            {statusWord(status, trans)}
          </option>
        ))}
      </select>
      {props.seesAll && (
        <select
          className="jp-LoomWeaver-input"
          aria-label={trans.__('Whose weavers')}
          value={filter.mineOnly ? 'mine' : 'all'}
          onChange={event => setFilter({ ...filter, mineOnly: event.target.value === 'mine' })}
        >
          <option value="mine">{trans.__('Mine')}</option>
          <option value="all">{trans.__('Everybody’s')}</option>
        </select>
      )}
    </div>
  );
}
