import type { TranslationBundle } from '@jupyterlab/translation';

/** What is said where output is missing; `bytes` is null where nobody knows how many. */
export function gapText(bytes: number | null, trans: TranslationBundle): string {
  return bytes === null
    ? trans.__('Output is missing here: it is not kept any more')
    : trans.__('%1 bytes are missing here: they are not kept any more', bytes.toLocaleString('en'));
}
