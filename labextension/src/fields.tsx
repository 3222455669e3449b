/** The parts of a form: each with its label, its help, and the server's word about it beside it. */
import { addIcon, closeIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import { type ClipboardEvent, type ReactElement, type ReactNode, useId, useState } from 'react';

import { type IPair, parseDotenv } from './dotenv';

export interface IControlProps {
  id: string;
  'aria-describedby': string;
  'aria-invalid': boolean;
}

export function Field(props: {
  label: string;
  help?: string | undefined;
  fault?: string | undefined;
  children: (control: IControlProps) => ReactNode;
}): ReactElement {
  const id = useId();
  return (
    <div className="jp-LoomWeaver-field">
      <label htmlFor={id}>{props.label}</label>
      {props.children({
        id,
        'aria-describedby': `${id}-help ${id}-fault`,
        'aria-invalid': Boolean(props.fault)
      })}
      <span id={`${id}-help`} className="jp-LoomWeaver-help">
        {props.help}
      </span>
      <Fault id={`${id}-fault`} text={props.fault} />
    </div>
  );
}

export function Fault(props: { id?: string; text: string | undefined }): ReactElement {
  return (
    <span {...(props.id ? { id: props.id } : {})} className="jp-LoomWeaver-fault" role="alert">
      {props.text}
    </span>
  );
}

export function TextField(props: {
  label: string;
  value: string;
  change: (value: string) => void;
  help?: string;
  fault?: string | undefined;
  placeholder?: string;
  suggestions?: Record<string, string>;
  focus?: boolean;
}): ReactElement {
  const list = useId();
  return (
    <Field label={props.label} help={props.help} fault={props.fault}>
      {control => (
        <>
          <input
            {...control}
            className="jp-LoomWeaver-input"
            autoComplete="off"
            spellCheck={false}
            placeholder={props.placeholder}
            value={props.value}
            autoFocus={props.focus}
            onChange={event => props.change(event.target.value)}
            {...(props.suggestions ? { list } : {})}
          />
          {props.suggestions && (
            <datalist id={list}>
              {Object.entries(props.suggestions).map(([value, words]) => (
                <option key={value} value={value}>
                  {words}
                </option>
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

/** One of a few. */
export function ChoiceField(props: {
  label: string;
  value: string;
  change: (value: string) => void;
  /** What is sent, and what people read. */
  choices: [string, string][];
  help?: string;
  fault?: string | undefined;
}): ReactElement {
  return (
    <Field label={props.label} help={props.help} fault={props.fault}>
      {control => (
        <select
          {...control}
          className="jp-LoomWeaver-input"
          value={props.value}
          onChange={event => props.change(event.target.value)}
        >
          {props.choices.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function CheckBox(props: {
  label: string;
  checked: boolean;
  change: (checked: boolean) => void;
}): ReactElement {
  return (
    <label>
      <input
        type="checkbox"
        checked={props.checked}
        onChange={event => props.change(event.target.checked)}
      />
      {props.label}
    </label>
  );
}

export function LinesField(props: {
  label: string;
  value: string;
  change: (value: string) => void;
  help: string;
  fault?: string | undefined;
}): ReactElement {
  return (
    <Field label={props.label} help={props.help} fault={props.fault}>
      {control => (
        <textarea
          {...control}
          className="jp-LoomWeaver-input"
          rows={2}
          spellCheck={false}
          value={props.value}
          onChange={event => props.change(event.target.value)}
        />
      )}
    </Field>
  );
}

/** Names and values; a pasted `.env` becomes as many rows as it has variables. */
export function PairsField(props: {
  legend: string;
  pairs: IPair[];
  change: (pairs: IPair[]) => void;
  help: string;
  fault?: string | undefined;
  isSecret?: boolean;
  trans: TranslationBundle;
}): ReactElement {
  const { pairs, change, trans } = props;
  const [isShown, setShown] = useState(!props.isSecret);
  const set = (at: number, part: Partial<IPair>): void =>
    change(pairs.map((pair, index) => (index === at ? { ...pair, ...part } : pair)));
  const paste = (at: number) => (event: ClipboardEvent) => {
    const pasted = parseDotenv(event.clipboardData.getData('text/plain'));
    if (pasted && props.isSecret) {
      event.preventDefault();
      change([...pairs.slice(0, at), ...pasted, ...pairs.slice(at + 1)]);
    }
  };
  return (
    <fieldset className="jp-LoomWeaver-pairs">
      <legend>{props.legend}</legend>
      {pairs.map((pair, at) => (
        <div key={at} className="jp-LoomWeaver-pair">
          <input
            className="jp-LoomWeaver-input"
            aria-label={trans.__('%1: name %2', props.legend, at + 1)}
            placeholder={trans.__('name')}
            autoComplete="off"
            spellCheck={false}
            value={pair.name}
            autoFocus={pair.name === ''}
            onPaste={paste(at)}
            onChange={event => set(at, { name: event.target.value })}
          />
          <input
            className="jp-LoomWeaver-input"
            aria-label={trans.__('%1: value %2', props.legend, at + 1)}
            placeholder={trans.__('value')}
            type={isShown ? 'text' : 'password'}
            autoComplete={props.isSecret ? 'new-password' : 'off'}
            spellCheck={false}
            value={pair.value}
            onChange={event => set(at, { value: event.target.value })}
          />
          <button
            type="button"
            className="jp-LoomWeaver-iconButton"
            aria-label={trans.__('Remove %1', pair.name || trans.__('row %1', at + 1))}
            onClick={() => change(pairs.filter((_, index) => index !== at))}
          >
            <closeIcon.react tag="span" className="jp-LoomWeaver-icon" aria-hidden="true" />
          </button>
        </div>
      ))}
      <div className="jp-LoomWeaver-pairTools">
        <button type="button" onClick={() => change([...pairs, { name: '', value: '' }])}>
          <addIcon.react tag="span" className="jp-LoomWeaver-icon" aria-hidden="true" />
          {trans.__('Add')}
          <span className="jp-LoomWeaver-unseen">{props.legend}</span>
        </button>
        {props.isSecret && pairs.length > 0 && (
          <CheckBox label={trans.__('Show values')} checked={isShown} change={setShown} />
        )}
      </div>
      <span className="jp-LoomWeaver-help">{props.help}</span>
      <Fault text={props.fault} />
    </fieldset>
  );
}
