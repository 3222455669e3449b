/** What a weaver's state, and its reason, are in plain words. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IWeaver, Status } from './models';

/** People name a weaver by its tag `name`. */
export function nameOf(weaver: IWeaver): string {
  return weaver.tags['name'] || weaver.id;
}

export function statusWord(status: Status, trans: TranslationBundle): string {
  switch (status) {
    case 'pending':
      return trans.__('Starting');
    case 'running':
      return trans.__('Running');
    case 'succeeded':
      return trans.__('Finished');
    case 'failed':
      return trans.__('Failed');
    case 'terminating':
      return trans.__('Ending');
  }
}

function sentences(trans: TranslationBundle): Record<string, string> {
  const image = trans.__(
    'Its image cannot be had: is its name right, and may this server read it?'
  );
  const configuration = trans.__('The cluster cannot set up its container.');
  return {
    CreateFailed: trans.__('It could not be created.'),
    CreateContainerConfigError: configuration,
    CreateContainerError: configuration,
    ErrImagePull: image,
    ImagePullBackOff: image,
    ErrImageNeverPull: image,
    InvalidImageName: trans.__('Its image has a name that the cluster does not understand.'),
    Unschedulable: trans.__(
      'No machine has room for it now: it waits, or wants less CPU and memory.'
    ),
    StartError: trans.__('Its program could not be started.'),
    OOMKilled: trans.__('It used more memory than it may, and was ended.'),
    Expired: trans.__('Its lifetime was over.'),
    DeadlineExceeded: trans.__('Its lifetime was over.'),
    Evicted: trans.__('The cluster needed its room, and ended it.'),
    HolderLost: trans.__('What kept it running is gone, as after a reboot.'),
    Deleted: trans.__('It was deleted.')
  };
}

/** Why it does not start, or how it ended; empty where nothing is to be said. */
export function reasonOf(weaver: IWeaver, trans: TranslationBundle): string {
  if (!weaver.reason || weaver.reason === 'Completed') {
    return '';
  }
  if (weaver.reason === 'Error' && weaver.exit_code !== null) {
    return trans.__('Its program ended with exit code %1.', weaver.exit_code);
  }
  const plain = sentences(trans)[weaver.reason];
  const detail = weaver.detail ?? (plain ? '' : weaver.reason);
  return [plain, detail].filter(Boolean).join(' ');
}

export function tagsOf(weaver: IWeaver): string[] {
  return Object.entries(weaver.tags)
    .filter(([key]) => key !== 'name')
    .map(([key, value]) => (value ? `${key}: ${value}` : key));
}
