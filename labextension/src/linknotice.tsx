/** One sentence for a link to the server that is not as it should be. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { ISurroundings } from './surroundings';
import type { WeaverStore } from './weaverstore';

export function LinkNotice(props: ISurroundings): ReactElement | null {
  const { weavers, trans } = props;
  const sentence = linkSentence(weavers.store, trans);
  if (!sentence) {
    return null;
  }
  const waits = weavers.store.link === 'connecting';
  return (
    <div className="jp-LoomWeaver-notice" data-link={weavers.store.link} role="status">
      <span>{sentence}</span>
      {!waits && <button onClick={() => weavers.retry()}>{trans.__('Try again')}</button>}
    </div>
  );
}

export function linkSentence(store: WeaverStore, trans: TranslationBundle): string {
  switch (store.link) {
    case 'live':
      return '';
    case 'connecting':
      return trans.__('Asking the server for your weavers…');
    case 'lost':
      return trans.__('The server does not answer; this is how things stood. Trying again…');
    case 'missing':
      return trans.__(
        'This Jupyter server has no weavers: run “pip install loom-weaver” in its environment, and start it again.'
      );
    case 'outdated':
      return trans.__(
        'The weavers of this Jupyter server are older than this page: run “pip install --upgrade loom-weaver” in its environment, and start it again.'
      );
    case 'refused':
      return trans.__('The server does not show its weavers to you: %1', store.problem);
  }
}
