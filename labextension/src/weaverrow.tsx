/** One weaver in the panel. */
import {
  caretDownIcon,
  caretRightIcon,
  deleteIcon,
  ellipsesIcon,
  historyIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import type { KeyboardEvent, ReactElement } from 'react';

import { eyeIcon } from './icons';
import { hasEnded, usualStart } from './lifetimes';
import type { IWeaver } from './models';
import type { ISurroundings } from './surroundings';
import { CommandIDs } from './tokens';
import { StatusBadge, TimeLeft, Timeline } from './weaverstatus';
import { nameOf, reasonOf, tagsOf } from './words';

export interface IRowProps extends ISurroundings {
  weaver: IWeaver;
  /** The one row that the Tab key stops at; arrows lead to the others. */
  isCurrent: boolean;
  isOpen: boolean;
  showsOwners: boolean;
  onToggle: () => void;
  onFocus: () => void;
  openMenu: (id: string, anchor: HTMLElement) => void;
}

export function WeaverRow(props: IRowProps): ReactElement {
  const { weaver, weavers, trans, isOpen } = props;
  const name = nameOf(weaver);
  const reason = reasonOf(weaver, trans);
  const isLeaving = weavers.deletions.has(weaver.id);
  return (
    <li
      className="jp-LoomWeaver-row"
      data-weaver-id={weaver.id}
      data-status={weaver.status}
      onFocus={props.onFocus}
      onKeyDown={event => pressed(event, props)}
    >
      <div className="jp-LoomWeaver-head">
        <button
          className="jp-LoomWeaver-name"
          aria-expanded={isOpen}
          tabIndex={props.isCurrent ? 0 : -1}
          onClick={props.onToggle}
          title={name}
        >
          {icon(isOpen ? caretDownIcon : caretRightIcon)}
          <bdi>{name}</bdi>
        </button>
        <StatusBadge status={weaver.status} trans={trans} />
      </div>
      <Facts {...props} />
      {reason && <p className="jp-LoomWeaver-reason">{reason}</p>}
      {isLeaving ? <Leaving {...props} /> : <Actions {...props} />}
      {(isOpen || weaver.status === 'pending') && (
        <Timeline
          weaver={weaver}
          trans={trans}
          usual={usualStart(weavers.store.weavers.values(), weaver.image)}
        />
      )}
      {isOpen && <Details {...props} />}
    </li>
  );
}

function pressed(event: KeyboardEvent, props: IRowProps): void {
  const onName = (event.target as HTMLElement).classList.contains('jp-LoomWeaver-name');
  if (event.key === 'Delete' && onName) {
    void props.commands.execute(CommandIDs.remove, { id: props.weaver.id });
  } else if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
    props.openMenu(props.weaver.id, event.target as HTMLElement);
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

function Facts(props: IRowProps): ReactElement {
  const { weaver, weavers, trans } = props;
  const { store } = weavers;
  return (
    <>
      <div className="jp-LoomWeaver-facts">
        <span className="jp-LoomWeaver-image" title={trans.__('Image')}>
          {weaver.image}
        </span>
        {props.showsOwners && (
          <span className="jp-LoomWeaver-owner" title={trans.__('Owner')}>
            {store.isMine(weaver) ? (
              trans.__('you')
            ) : (
              <bdi>{store.ownerName(weaver.owner_user_id)}</bdi>
            )}
          </span>
        )}
        {weaver.viewers > 0 && (
          <span className="jp-LoomWeaver-viewers">
            {icon(eyeIcon)}
            {trans._n('%1 terminal open', '%1 terminals open', weaver.viewers)}
          </span>
        )}
      </div>
      {tagsOf(weaver).length > 0 && (
        <ul className="jp-LoomWeaver-tags" aria-label={trans.__('Tags')}>
          {tagsOf(weaver).map(tag => (
            <li key={tag} title={tag}>
              <bdi>{tag}</bdi>
            </li>
          ))}
        </ul>
      )}
      {weaver.status !== 'terminating' && <TimeLeft weaver={weaver} trans={trans} />}
    </>
  );
}

function Actions(props: IRowProps): ReactElement {
  const { weaver, weavers, commands, trans } = props;
  const mayChange = weavers.store.mayChange(weaver) && weaver.status !== 'terminating';
  const run = (command: string) => () => void commands.execute(command, { id: weaver.id });
  const tabIndex = props.isCurrent ? 0 : -1;
  const name = nameOf(weaver);
  return (
    <div
      className="jp-LoomWeaver-actions"
      role="group"
      aria-label={trans.__('Actions for %1', name)}
    >
      {commands.hasCommand(CommandIDs.openTerminal) && (
        <button tabIndex={tabIndex} onClick={run(CommandIDs.openTerminal)}>
          {trans.__('Terminal')}
        </button>
      )}
      {commands.hasCommand(CommandIDs.openLogs) && (
        <button tabIndex={tabIndex} onClick={run(CommandIDs.openLogs)}>
          {trans.__('Logs')}
        </button>
      )}
      {mayChange && !hasEnded(weaver) && (
        <IconButton
          icon={historyIcon}
          label={trans.__('Extend %1', name)}
          tabIndex={tabIndex}
          onClick={run(CommandIDs.extend)}
        />
      )}
      {mayChange && (
        <IconButton
          icon={deleteIcon}
          label={trans.__('Delete %1', name)}
          tabIndex={tabIndex}
          onClick={run(CommandIDs.remove)}
        />
      )}
      <IconButton
        icon={ellipsesIcon}
        label={trans.__('More for %1', name)}
        tabIndex={tabIndex}
        hasMenu
        onClick={anchor => props.openMenu(weaver.id, anchor)}
      />
    </div>
  );
}

function Leaving(props: IRowProps): ReactElement {
  const { weaver, weavers, trans } = props;
  return (
    <div className="jp-LoomWeaver-leaving" role="status">
      <span>{trans.__('Will be deleted in a moment.')}</span>
      <button tabIndex={props.isCurrent ? 0 : -1} onClick={() => weavers.deletions.undo(weaver.id)}>
        {trans.__('Undo')}
      </button>
    </div>
  );
}

function Details(props: IRowProps): ReactElement {
  const { weaver, trans } = props;
  const facts: [string, string | null | undefined][] = [
    [trans.__('Id'), weaver.id],
    [trans.__('Created'), new Date(weaver.created_at).toLocaleString()],
    [trans.__('Ends'), new Date(weaver.expires_at).toLocaleString()],
    [trans.__('Exit code'), weaver.exit_code?.toString()],
    [trans.__('CPU'), weaver.resources?.cpu_limit],
    [trans.__('Memory'), weaver.resources?.memory_limit],
    [trans.__('Command'), weaver.command?.join(' ')],
    [trans.__('Arguments'), weaver.args?.join(' ')],
    [trans.__('Working directory'), weaver.workdir],
    [trans.__('Isolation'), isolationOf(weaver)]
  ];
  return (
    <dl className="jp-LoomWeaver-details">
      {facts
        .filter(([, value]) => value)
        .map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
    </dl>
  );
}

function isolationOf(weaver: IWeaver): string {
  const { kind, enforced } = weaver.isolation;
  return [kind, ...enforced].join(', ').replaceAll('_', ' ');
}

function IconButton(props: {
  icon: LabIcon;
  label: string;
  tabIndex: number;
  hasMenu?: boolean;
  onClick: (anchor: HTMLElement) => void;
}): ReactElement {
  return (
    <button
      className="jp-LoomWeaver-iconButton"
      aria-label={props.label}
      title={props.label}
      tabIndex={props.tabIndex}
      {...(props.hasMenu ? { 'aria-haspopup': 'menu' as const } : {})}
      onClick={event => props.onClick(event.currentTarget)}
    >
      {icon(props.icon)}
    </button>
  );
}

function icon(labIcon: LabIcon): ReactElement {
  return <labIcon.react tag="span" className="jp-LoomWeaver-icon" aria-hidden="true" />;
}
