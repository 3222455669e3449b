/** Which weavers the panel shows, and in which order. */
import type { IWeaver, Status } from './models';
import { nameOf } from './words';

export interface IFilter {
  /** Words, each of which has to be in the name, id, image, owner or a tag; `key:value` finds a tag. */
  text: string;
  status: Status | '';
  mineOnly: boolean;
}

export const EVERYTHING: IFilter = { text: '', status: '', mineOnly: false };

export function isFiltering(filter: IFilter): boolean {
  return filter.text.trim() !== '' || filter.status !== '';
}

export function filtered(
  weavers: Iterable<IWeaver>,
  filter: IFilter,
  myId: string,
  ownerName: (userId: string) => string
): IWeaver[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return [...weavers]
    .filter(weaver => !filter.mineOnly || weaver.owner_user_id === myId)
    .filter(weaver => !filter.status || weaver.status === filter.status)
    .filter(weaver => words.every(word => searchable(weaver, ownerName).includes(word)))
    .sort(newestFirst);
}

function searchable(weaver: IWeaver, ownerName: (userId: string) => string): string {
  const tags = Object.entries(weaver.tags).map(([key, value]) => `${key}:${value}`);
  const owner = ownerName(weaver.owner_user_id);
  return [nameOf(weaver), weaver.id, weaver.image, owner, ...tags].join('\n').toLowerCase();
}

function newestFirst(one: IWeaver, other: IWeaver): number {
  return other.created_at.localeCompare(one.created_at) || one.id.localeCompare(other.id);
}
