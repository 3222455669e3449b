/** The panel's content: filter, list, and what to do when there is none. */
import { addIcon } from '@jupyterlab/ui-components';
import { type KeyboardEvent, type ReactElement, useState } from 'react';

import { FilterBar } from './filterbar';
import { useChanges } from './hooks';
import { LinkNotice } from './linknotice';
import type { IWeaver } from './models';
import type { ISurroundings } from './surroundings';
import { CommandIDs } from './tokens';
import { EVERYTHING, filtered, type IFilter, isFiltering } from './weaverfilter';
import { WeaverRow } from './weaverrow';

// Somebody who sees ten thousand weavers will filter; a page must not draw them all.
const PAGE = 100;

export interface IPanelProps extends ISurroundings {
  openMenu: (id: string, anchor: HTMLElement) => void;
}

export function WeaverList(props: IPanelProps): ReactElement {
  const { weavers, commands, trans } = props;
  const { store, deletions } = weavers;
  useChanges(store.changed);
  useChanges(deletions.changed);
  const [filter, setFilter] = useState<IFilter>({ ...EVERYTHING, mineOnly: true });
  const effective = { ...filter, mineOnly: filter.mineOnly && store.seesAll };
  const shown = filtered(store.weavers.values(), effective, store.me?.user.id ?? '', id =>
    store.ownerName(id)
  );
  return (
    <div className="jp-LoomWeaver-panel">
      <div className="jp-LoomWeaver-toolbar">
        <button
          className="jp-LoomWeaver-primary"
          disabled={store.link === 'missing' || store.link === 'outdated' || !store.me}
          onClick={() => void commands.execute(CommandIDs.create)}
        >
          <addIcon.react tag="span" className="jp-LoomWeaver-icon" aria-hidden="true" />
          {trans.__('New weaver')}
        </button>
        <span className="jp-LoomWeaver-count" role="status">
          {store.weavers.size > 0 && trans._n('%1 weaver', '%1 weavers', shown.length)}
        </span>
      </div>
      <LinkNotice {...props} />
      {store.weavers.size > 0 && (
        <FilterBar filter={filter} setFilter={setFilter} seesAll={store.seesAll} trans={trans} />
      )}
      {shown.length > 0 ? (
        <Rows {...props} shown={shown} showsOwners={store.seesAll && !effective.mineOnly} />
      ) : (
        store.link === 'live' && (
          <Nothing {...props} filter={filter} clear={() => setFilter(EVERYTHING)} />
        )
      )}
    </div>
  );
}

function Rows(props: IPanelProps & { shown: IWeaver[]; showsOwners: boolean }): ReactElement {
  const { shown, trans } = props;
  const [limit, setLimit] = useState(PAGE);
  const [chosen, setChosen] = useState('');
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const current = shown.some(weaver => weaver.id === chosen) ? chosen : shown[0]?.id;
  return (
    <>
      <ul className="jp-LoomWeaver-list" aria-label={trans.__('Weavers')} onKeyDown={moveFocus}>
        {shown.slice(0, limit).map(weaver => (
          <WeaverRow
            {...props}
            key={weaver.id}
            weaver={weaver}
            isCurrent={weaver.id === current}
            isOpen={open.has(weaver.id)}
            onFocus={() => setChosen(weaver.id)}
            onToggle={() => setOpen(toggled(open, weaver.id))}
          />
        ))}
      </ul>
      {shown.length > limit && (
        <button className="jp-LoomWeaver-more" onClick={() => setLimit(limit + PAGE)}>
          {trans.__('Show more (%1 of %2 are shown)', limit, shown.length)}
        </button>
      )}
    </>
  );
}

function toggled(set: ReadonlySet<string>, id: string): Set<string> {
  const result = new Set(set);
  if (!result.delete(id)) {
    result.add(id);
  }
  return result;
}

/** Arrows lead from weaver to weaver, Home and End to the first and last. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const names = [...event.currentTarget.querySelectorAll<HTMLElement>('.jp-LoomWeaver-name')];
  const row = (event.target as HTMLElement).closest('.jp-LoomWeaver-row');
  const at = names.findIndex(name => row?.contains(name));
  const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: names.length - 1 }[event.key];
  if (target !== undefined) {
    names[Math.max(0, Math.min(names.length - 1, target))]?.focus();
    event.preventDefault();
  }
}

function Nothing(props: IPanelProps & { filter: IFilter; clear: () => void }): ReactElement {
  const { commands, trans } = props;
  const { store } = props.weavers;
  if (isFiltering(props.filter) || store.weavers.size > 0) {
    return (
      <div className="jp-LoomWeaver-empty">
        <p>
          {isFiltering(props.filter)
            ? trans.__('No weaver fits this filter.')
            : trans.__('You have no weaver of your own now.')}
        </p>
        <button onClick={props.clear}>{trans.__('Show all')}</button>
      </div>
    );
  }
  const image = store.me?.runtime.default_image;
  return (
    <div className="jp-LoomWeaver-empty">
      <h3>{trans.__('No weavers yet')}</h3>
      <p>
        {trans.__(
          'A weaver is a session of its own, with a terminal, a log and files, apart from your notebooks. It goes on when you close the page, and ends by itself when its lifetime is over.'
        )}
      </p>
      {image && (
        <button
          className="jp-LoomWeaver-primary"
          onClick={() => void commands.execute(CommandIDs.start, { image })}
        >
          {trans.__('Start one now (%1)', image)}
        </button>
      )}
      <button onClick={() => void commands.execute(CommandIDs.create)}>
        {trans.__('Choose its image and size…')}
      </button>
    </div>
  );
}
