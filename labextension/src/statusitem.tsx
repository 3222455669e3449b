/** How many weavers run, in the status bar. */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import { useChanges } from './hooks';
import { weaverIcon } from './icons';
import { linkSentence } from './linknotice';
import type { ISurroundings } from './surroundings';
import { CommandIDs } from './tokens';

export class StatusItem extends ReactWidget {
  constructor(private readonly _surroundings: ISurroundings) {
    super();
    this.addClass('jp-LoomWeaver-statusItem');
  }

  protected override render(): ReactElement {
    return <Count {...this._surroundings} />;
  }
}

function Count(props: ISurroundings): ReactElement {
  const { weavers, commands, trans } = props;
  const { store } = weavers;
  useChanges(store.changed);
  const mine = [...store.weavers.values()].filter(weaver => store.isMine(weaver));
  const running = mine.filter(weaver => weaver.status === 'running').length;
  const words =
    store.link === 'live' ? trans.__('Weavers: %1 running', running) : trans.__('Weavers: no link');
  return (
    <button
      className="jp-LoomWeaver-statusButton"
      title={linkSentence(store, trans) || trans.__('Show your weavers')}
      onClick={() => void commands.execute(CommandIDs.showPanel)}
    >
      <weaverIcon.react tag="span" className="jp-LoomWeaver-icon" aria-hidden="true" />
      {words}
    </button>
  );
}
