import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A bank as a third party knows it: what it must be told before it can ask the bank for the rest (CLD-13). */
export interface Bank {
  readonly id: string;
  readonly name: string;
  /** Who the bank is, and where its discovery document lies. */
  readonly issuer: string;
  /** Where its machines' endpoints lie: another address than the pages, because it asks for a client certificate. */
  readonly mtlsBase: string;
  /** Where its APIs lie. */
  readonly resourceBase: string;
  /** True: register there by oneself (RFC 7591). False: somebody did, and `clientId` is what they were given. */
  readonly enableDcr: boolean;
  readonly clientId: string | undefined;
}

const FIELDS = ['id', 'name', 'issuer', 'mtls_base', 'resource_base', 'enable_dcr', 'client_id'];
const ID = /^[a-z0-9][a-z0-9-]{0,39}$/;
/** More banks do not fit on a page, and each costs a registration at start. */
const MOST_BANKS = 50;

/** The list beside this file, or the one that FINANCROO_BANKS names. Edit it and start again (CLD-13). @throws as `parseBanks` */
export async function readBanks(addresses: {
  readonly issuer: string;
  readonly mtls: string;
}): Promise<readonly Bank[]> {
  const path = process.env.FINANCROO_BANKS ?? join(import.meta.dirname, 'banks.json');
  return parseBanks(await readFile(path, 'utf8'), { ...addresses });
}

/**
 * Reads the list of banks. `{issuer}` and `{mtls}` in it stand for addresses that are known at start only.
 * @throws Error that names the bank and the field (CLD-13, CLD-18, N-120)
 */
export function parseBanks(text: string, addresses: Readonly<Record<string, string>>): readonly Bank[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list) || list.length === 0 || list.length > MOST_BANKS) {
    throw new Error(`the list of banks must name between 1 and ${MOST_BANKS} banks`);
  }
  const entries: readonly unknown[] = list;
  const banks = entries.map((entry, index) => parseBank(entry, index, addresses));
  const ids = banks.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new Error(`bank ${twice}: id is there twice`);
  return banks;
}

function parseBank(entry: unknown, index: number, addresses: Readonly<Record<string, string>>): Bank {
  const place = `bank number ${index + 1}`;
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw new Error(`${place} is no object`);
  const fields = new Map<string, unknown>(Object.entries(entry));
  const id = textOf(fields, 'id', place);
  if (!ID.test(id)) throw new Error(`${place}: id must be of lower-case letters, digits and hyphens`);
  const bank = `bank ${id}`;
  const unknown = [...fields.keys()].find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw new Error(`${bank}: nobody knows the field ${unknown}`);
  const enableDcr = fields.get('enable_dcr');
  if (typeof enableDcr !== 'boolean') throw new Error(`${bank}: enable_dcr must be true or false`);
  if (!enableDcr && !fields.has('client_id')) {
    throw new Error(`${bank}: client_id is missing, and enable_dcr is false: there is no client to use`);
  }
  return {
    id,
    name: textOf(fields, 'name', bank),
    issuer: addressOf(fields, 'issuer', bank, addresses),
    mtlsBase: addressOf(fields, 'mtls_base', bank, addresses),
    resourceBase: addressOf(fields, 'resource_base', bank, addresses),
    enableDcr,
    clientId: enableDcr ? undefined : textOf(fields, 'client_id', bank),
  };
}

function textOf(fields: ReadonlyMap<string, unknown>, name: string, bank: string): string {
  const value = fields.get(name);
  if (value === undefined) throw new Error(`${bank}: ${name} is missing`);
  if (typeof value !== 'string' || value.trim() === '') throw new Error(`${bank}: ${name} must be a text`);
  return value;
}

/** Tokens and data go to these addresses: nothing but https will do, and nothing may hang on to them (N-120). */
function addressOf(
  fields: ReadonlyMap<string, unknown>,
  name: string,
  bank: string,
  addresses: Readonly<Record<string, string>>,
): string {
  const text = textOf(fields, name, bank).replace(/^\{(\w+)\}/, (all, key: string) => addresses[key] ?? all);
  const url = URL.parse(text);
  if (url?.protocol !== 'https:') throw new Error(`${bank}: ${name} must be an https address`);
  if (url.search !== '' || url.hash !== '' || url.username !== '' || text.endsWith('/')) {
    throw new Error(`${bank}: ${name} must be an address without query, user and final slash`);
  }
  return text;
}
