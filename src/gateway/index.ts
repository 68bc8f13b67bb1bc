export type { ErrorFormat, GatewayBank, GatewayRegime } from './bank.ts';
export type { Door } from './call.ts';
export type { Check, Column, Row } from './checks/index.ts';
export { table as checkTable } from './checks/index.ts';
export { type CallbackIdentity, type ConsentCallback, createConsentCallback } from './consent-callback.ts';
export { createGateway, type Gateway, type GatewayOptions } from './gateway.ts';
export type { Route, RouteAction, TokenKind } from './route.ts';
