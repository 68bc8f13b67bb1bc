import { DOMParser } from '@xmldom/xmldom';
import { Refusal } from '../platform/refusal.ts';
import { MAXIMUM_XML_BYTES, type XmlElement } from './xml-element.ts';

/** A trusted list is nested about fifteen deep; readers call themselves once per level. */
const MAXIMUM_DEPTH = 64;
/** A list of the largest size has fewer. */
const MAXIMUM_ELEMENTS = 500_000;
/** More than one declaration of a namespace or an identifier per element is rare. */
const MAXIMUM_ATTRIBUTES = 64;
/** Any declaration but comments and CDATA: document types, entities, notations, whole or in part (XXE, billion laughs). */
const DECLARATION = /<!(?!--|\[CDATA\[)/;
const ENCODING = /^<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']/;
/** Attributes that a reference can mean; xml-crypto looks for the same three. */
const IDENTIFIERS: ReadonlySet<string> = new Set(['Id', 'ID', 'id']);

/** The one way to say that a signed document does not count; `detail` is the finer code. */
export function refusedXml(detail: string, message: string, cause?: unknown): Refusal {
  return new Refusal('trusted_list_refused', 400, message, { detail, cause });
}

/** The text of a document. @throws Refusal `trusted_list_refused` 400 when it is too large, or not UTF-8 */
export function textOfXml(document: Uint8Array): string {
  if (document.length > MAXIMUM_XML_BYTES) {
    throw refusedXml('xml_too_large', `The document is larger than ${MAXIMUM_XML_BYTES} octets.`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(document);
  } catch (cause) {
    throw refusedXml('xml_encoding', 'The document is not UTF-8.', cause);
  }
}

/**
 * Parses a document that nobody has vouched for: no document type, no entities of its own, one root, bounded, and every
 * identifier once. @throws Refusal `trusted_list_refused` 400
 */
export function parseXml(text: string): Document {
  if (DECLARATION.test(text)) throw refusedXml('xml_document_type', 'Document types and entities are not accepted.');
  const encoding = ENCODING.exec(text)?.[1] ?? 'utf-8';
  if (encoding.toLowerCase() !== 'utf-8') throw refusedXml('xml_encoding', 'The document says it is not UTF-8.');
  const document = parse(text);
  const { documentElement } = document;
  if (documentElement === null) throw refusedXml('xml_malformed', 'The document has no root.');
  for (const node of Array.from(document.childNodes)) {
    const beside = node.nodeType === node.TEXT_NODE ? node.nodeValue?.trim() !== '' : node.nodeType === 1;
    if (beside && node !== documentElement) throw refusedXml('xml_malformed', 'There is something beside the root.');
  }
  checkElements(documentElement);
  return document;
}

function parse(text: string): Document {
  const parser = new DOMParser({
    errorHandler: (level: string) => {
      throw refusedXml('xml_malformed', `The document is not well-formed XML (${level}).`);
    },
  });
  try {
    return parser.parseFromString(text, 'text/xml');
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw refusedXml('xml_malformed', 'The document is not well-formed XML.', cause);
  }
}

/** Walks without calling itself: what is too deep must not reach code that does. */
function checkElements(root: Element): void {
  const identifiers = new Set<string>();
  const waiting: { readonly element: Element; readonly depth: number }[] = [{ element: root, depth: 1 }];
  let count = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { element, depth } = next;
    count += 1;
    if (depth > MAXIMUM_DEPTH || count > MAXIMUM_ELEMENTS || element.attributes.length > MAXIMUM_ATTRIBUTES) {
      throw refusedXml('xml_too_large', 'The document is nested too deeply, or has too many parts.');
    }
    for (const attribute of Array.from(element.attributes)) {
      if (!IDENTIFIERS.has(attribute.localName)) continue;
      if (identifiers.has(attribute.value)) throw refusedXml('xml_id_duplicate', 'An identifier stands twice.');
      identifiers.add(attribute.value);
    }
    for (const child of elementsOf(element)) waiting.push({ element: child, depth: depth + 1 });
  }
}

/** The elements directly inside. */
export function elementsOf(element: Element): readonly Element[] {
  return Array.from(element.childNodes).filter((node): node is Element => node.nodeType === node.ELEMENT_NODE);
}

/** Copies an element out of the library's world; the document was bounded when it was parsed. */
export function toXmlElement(element: Element): XmlElement {
  const nodes = Array.from(element.childNodes);
  const texts = nodes.filter((node) => node.nodeType === node.TEXT_NODE || node.nodeType === node.CDATA_SECTION_NODE);
  return {
    namespace: element.namespaceURI ?? '',
    name: element.localName,
    attributes: new Map(Array.from(element.attributes, ({ name, value }) => [name, value])),
    children: elementsOf(element).map(toXmlElement),
    text: texts
      .map(({ nodeValue }) => nodeValue ?? '')
      .join('')
      .trim(),
  };
}
