import { Problem } from '../bank/problem.ts';
import type { AttributeValue } from './consent.ts';

/** A bank-defined attribute: what this bank wants to keep with a consent beyond what the platform needs. */
export type Attribute =
  | { readonly type: 'text'; readonly maximumLength: number; readonly description: string }
  | { readonly type: 'number'; readonly minimum: number; readonly maximum: number; readonly description: string }
  | { readonly type: 'flag'; readonly description: string };

/** The attributes a bank declares; any other name is refused (CLD-51). */
export type AttributeSchema = Readonly<Record<string, Attribute>>;

/** What Hyperscale Bank keeps with its consents. */
export const hyperscaleAttributes: AttributeSchema = {
  branch: { type: 'text', maximumLength: 40, description: 'The branch that looks after the customer.' },
  segment: { type: 'text', maximumLength: 40, description: 'The customer segment at the time of agreeing.' },
  riskScore: { type: 'number', minimum: 0, maximum: 100, description: 'What the fraud engine thought.' },
  paperless: { type: 'flag', description: 'The customer wants no letter about it.' },
};

/** Attributes as declared. @throws Problem 400 naming the first that is not (CLD-51) */
export function checkAttributes(value: unknown, schema: AttributeSchema): Readonly<Record<string, AttributeValue>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refused('attributes');
  const entries = Object.entries(value).map(([name, given]: [string, unknown]) => {
    const attribute = Object.hasOwn(schema, name) ? schema[name] : undefined;
    if (attribute === undefined) throw new Problem(400, 'attribute_unknown', 'An attribute is not in the schema.');
    if (!fits(given, attribute)) throw refused(name);
    return [name, given] as const;
  });
  return Object.fromEntries(entries);
}

function fits(value: unknown, attribute: Attribute): value is AttributeValue {
  switch (attribute.type) {
    case 'text':
      return typeof value === 'string' && value.length <= attribute.maximumLength && !/\p{Cc}/u.test(value);
    case 'number':
      return typeof value === 'number' && value >= attribute.minimum && value <= attribute.maximum;
    case 'flag':
      return typeof value === 'boolean';
    default:
      return attribute satisfies never;
  }
}

function refused(name: string): Problem {
  return new Problem(400, 'field_invalid', `The attribute "${name}" is not as the schema says.`);
}
