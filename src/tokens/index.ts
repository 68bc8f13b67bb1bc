export type { TokensLog } from './presented.ts';
export type { Denial, TokenFacts, TokenResolution } from './token.ts';
export { createTokens, type Tokens, type TokensOptions } from './tokens.ts';
