export type { Account, BankConnector, Customer } from './bank.ts';
export { type BankCall, type BankConnectorOptions, createBankConnector } from './connector.ts';
