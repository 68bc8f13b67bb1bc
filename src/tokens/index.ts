export type { Denial, TokenFacts, TokenResolution } from './token.ts';
export { createTokens, type Tokens, type TokensLog, type TokensOptions } from './tokens.ts';
