/** A weaver's state as icon, colour and word; its time left; its way to being there. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import { useNow } from './hooks';
import { doneIcon, endingIcon, failedIcon, liveIcon, pendingIcon } from './icons';
import { endOf, inWords, shareLeft, timeLeft } from './lifetimes';
import type { IWeaver, Status } from './models';
import { statusWord } from './words';

const ICONS: Record<Status, LabIcon> = {
  pending: pendingIcon,
  running: liveIcon,
  succeeded: doneIcon,
  failed: failedIcon,
  terminating: endingIcon
};
const LOW = 0.1;
const LAST_MINUTES = 10 * 60_000;

export function StatusBadge(props: { status: Status; trans: TranslationBundle }): ReactElement {
  const { react: Icon } = ICONS[props.status];
  return (
    <span className="jp-LoomWeaver-status" data-status={props.status}>
      <Icon tag="span" className="jp-LoomWeaver-statusIcon" aria-hidden="true" />
      {statusWord(props.status, props.trans)}
    </span>
  );
}

export function TimeLeft(props: { weaver: IWeaver; trans: TranslationBundle }): ReactElement {
  const { weaver, trans } = props;
  const now = useNow(moment => (timeLeft(weaver, moment) < LAST_MINUTES ? 1000 : 15_000));
  const left = timeLeft(weaver, now);
  const words = trans.__('%1 left', inWords(left, trans));
  const start = Date.parse(weaver.created_at);
  return (
    <div
      className="jp-LoomWeaver-time"
      title={trans.__('Until %1', endOf(start, weaver.lifetime_hours, now))}
    >
      <div
        className="jp-LoomWeaver-bar"
        data-low={shareLeft(weaver, now) < LOW || left < LAST_MINUTES}
        role="meter"
        aria-label={trans.__('Time left')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(shareLeft(weaver, now) * 100)}
        aria-valuetext={words}
      >
        <span style={{ inlineSize: `${shareLeft(weaver, now) * 100}%` }} />
      </div>
      <span>{words}</span>
    </div>
  );
}

/** What has happened so far, and how long a start usually takes. */
export function Timeline(props: {
  weaver: IWeaver;
  usual: number | null;
  trans: TranslationBundle;
}): ReactElement {
  const { weaver, usual, trans } = props;
  const start = Date.parse(weaver.created_at);
  return (
    <ol className="jp-LoomWeaver-timeline" aria-label={trans.__('What happened')}>
      {weaver.timeline.map(entry => (
        <li key={`${entry.at} ${entry.event}`}>
          <time dateTime={entry.at} title={new Date(entry.at).toLocaleString()}>
            {`+${seconds(Date.parse(entry.at) - start)} s`}
          </time>
          <span>{entry.detail ? `${entry.event}: ${entry.detail}` : entry.event}</span>
        </li>
      ))}
      {weaver.status === 'pending' && <Waiting start={start} usual={usual} trans={trans} />}
    </ol>
  );
}

function Waiting(props: {
  start: number;
  usual: number | null;
  trans: TranslationBundle;
}): ReactElement {
  const { start, usual, trans } = props;
  const waited = Math.max(0, useNow(1000) - start);
  return (
    <li className="jp-LoomWeaver-waiting">
      <span aria-hidden="true">{`+${seconds(waited)} s`}</span>
      <span>
        {usual === null
          ? trans.__('Starting…')
          : trans.__('Starting… usually %1 s here', seconds(usual))}
      </span>
    </li>
  );
}

function seconds(milliseconds: number): string {
  const digits = milliseconds < 1000 ? 2 : milliseconds < 10_000 ? 1 : 0;
  return (Math.max(0, milliseconds) / 1000).toFixed(digits);
}
