export type { ApplyAnchors, ConfiguredList, ListedBank, ListObservation, ListState, TrustedLists } from './contract.ts';
export type { ListedService, PinnedList, SkippedServices, TrustedList } from './list.ts';
export { MAXIMUM_LIST_BYTES } from './list.ts';
export { createListReader, type ListReader } from './reader.ts';
export { createTrustedLists, type ListLog, type TrustedListsOptions } from './trusted-lists.ts';
