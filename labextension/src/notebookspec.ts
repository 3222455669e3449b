/** What an output of a notebook says about a weaver: which one, and how it is shown. */

export const MIME_TYPE = 'application/vnd.loom-weaver.v1+json';
/** Of what passes between kernel and page, as `loom_weaver.widgets` has it. */
export const PROTOCOL = '1.0.0';

export type ViewName = 'card' | 'logs' | 'terminal';

export interface IViewSpec {
  id: string;
  view: ViewName;
  /** How many lines of a log come first. */
  tail?: number;
  /** The kernel's side of the view, while that kernel lives. */
  modelId?: string;
}

const VIEWS: readonly string[] = ['card', 'logs', 'terminal'];
const ID = /^weaver_[a-z0-9]{1,64}$/;

/** Null for what is none: a notebook may come from anywhere. */
export function specOf(data: unknown): IViewSpec | null {
  if (typeof data !== 'object' || data === null) {
    return null;
  }
  const { id, view, tail, model_id } = data as Record<string, unknown>;
  if (typeof id !== 'string' || !ID.test(id)) {
    return null;
  }
  const known = typeof view === 'string' && VIEWS.includes(view) ? (view as ViewName) : 'card';
  const lines = typeof tail === 'number' && Number.isInteger(tail) && tail >= 0 ? { tail } : {};
  const model = typeof model_id === 'string' ? { modelId: model_id } : {};
  return { id, view: known, ...lines, ...model };
}

/** What the kernel's side of a widget hears. */
export interface ITold {
  status: string;
  exit_code: number | null;
  lines_seen: number;
}

/** The kernel's side of a widget, as the page has it. */
export interface ILiveModel {
  set(changes: Partial<ITold>): void;
  get(name: string): unknown;
  save_changes(): void;
}

/** The widgets of all kernels of the page, by id: an output is drawn by its MIME type, and finds its own here. */
export class LiveModels {
  private readonly _models = new Map<string, ILiveModel>();
  private readonly _waiting = new Map<string, Set<(model: ILiveModel) => void>>();

  add(id: string, model: ILiveModel): void {
    this._models.set(id, model);
    for (const found of this._waiting.get(id) ?? []) {
      found(model);
    }
  }

  remove(id: string): void {
    this._models.delete(id);
  }

  /** Calls `found` now, or when the kernel tells of it; the answer ends the waiting. */
  whenThere(id: string, found: (model: ILiveModel) => void): () => void {
    const model = this._models.get(id);
    if (model) {
      found(model);
    }
    const waiting = this._waiting.get(id) ?? new Set();
    this._waiting.set(id, waiting.add(found));
    return () => {
      waiting.delete(found);
      if (waiting.size === 0 && this._waiting.get(id) === waiting) {
        this._waiting.delete(id);
      }
    };
  }
}
