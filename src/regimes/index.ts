import { generic } from './generic/index.ts';
import type { Regime } from './regime.ts';

export type { Regime, ScopeWords } from './regime.ts';

/** Every market this installation knows, by the name a bank's configuration uses; an unknown name is refused at start (LAB-01). */
export const regimes: ReadonlyMap<string, Regime> = new Map([generic].map((regime) => [regime.id, regime]));
