import { CANONICAL_FORMS, DIGESTS, ENVELOPED, SIGNATURES } from './xml-algorithms.ts';
import { elementsOf, refusedXml } from './xml-document.ts';

const DSIG = 'http://www.w3.org/2000/09/xmldsig#';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const XADES = 'http://uri.etsi.org/01903/v1.3.2#';
const SIGNED_PROPERTIES = 'http://uri.etsi.org/01903#SignedProperties';
/** A signature comes with its certificate and perhaps with those above it. */
const MAXIMUM_CERTIFICATES = 8;

/** A signature that has the one shape that counts; nothing of it is proven yet. */
export interface SignatureParts {
  readonly element: Element;
  /** `URI` of the reference to the whole document: empty, or the root's own identifier. */
  readonly documentUri: string;
  /** `URI` of the reference to the XAdES properties inside this signature. */
  readonly propertiesUri: string;
  /** Base64 of the certificates that the signature comes with. */
  readonly certificates: readonly string[];
}

/**
 * The one signature of a document. Everything that could make a verifier look elsewhere is refused by shape: another place,
 * a second signature, other references, transforms that compute. @throws Refusal `trusted_list_refused` 400
 */
export function signaturePartsOf(document: Document): SignatureParts {
  const root = document.documentElement;
  const [element, ...others] = Array.from(document.getElementsByTagNameNS(DSIG, 'Signature'));
  if (element === undefined) throw refusedXml('signature_missing', 'The document is not signed.');
  if (others.length > 0) throw refusedXml('signature_duplicate', 'The document has more than one signature.');
  if (element.parentNode !== root) throw refusedXml('signature_place', 'The signature does not stand in the root.');
  const [info, value, keyInfo, ...objects] = elementsOf(element);
  if (!is(info, 'SignedInfo') || !is(value, 'SignatureValue') || !is(keyInfo, 'KeyInfo') || !isObject(objects)) {
    throw refusedXml('signature_malformed', 'The signature has not the parts that XAdES demands, in their order.');
  }
  for (const part of [info, value]) checkPlain(part);
  const [method, algorithm, ...references] = elementsOf(info);
  if (!is(method, 'CanonicalizationMethod') || !is(algorithm, 'SignatureMethod')) {
    throw refusedXml('signature_malformed', 'The signed information lacks its methods.');
  }
  checkAlgorithms(method, algorithm);
  return { element, ...referencesOf(references, root, objects), certificates: certificatesOf(keyInfo) };
}

function is(element: Element | undefined, name: string): element is Element {
  return element?.namespaceURI === DSIG && element.localName === name;
}

function isObject(objects: readonly Element[]): boolean {
  return objects.length === 1 && objects.every((object) => is(object, 'Object'));
}

/** Comments and instructions inside what is signed have made verifiers read other values than were signed. */
function checkPlain(element: Element): void {
  for (const node of Array.from(element.childNodes)) {
    if (node.nodeType !== node.ELEMENT_NODE && node.nodeType !== node.TEXT_NODE) {
      throw refusedXml('signature_malformed', 'The signed information holds comments or instructions.');
    }
  }
  for (const child of elementsOf(element)) checkPlain(child);
}

function checkAlgorithms(method: Element, algorithm: Element): void {
  if (!CANONICAL_FORMS.has(algorithmOf(method)) || elementsOf(method).length > 0) throw refusedAlgorithm(method);
  if (!SIGNATURES.has(algorithmOf(algorithm)) || elementsOf(algorithm).length > 0) throw refusedAlgorithm(algorithm);
}

function algorithmOf(element: Element): string {
  return element.getAttribute('Algorithm') ?? '';
}

function refusedAlgorithm(element: Element) {
  return refusedXml('signature_algorithm', `The signature uses a ${element.localName} that is not accepted.`);
}

function referencesOf(references: readonly Element[], root: Element, objects: readonly Element[]) {
  const [first, second, ...more] = references;
  if (!is(first, 'Reference') || !is(second, 'Reference') || more.length > 0) {
    throw refusedXml('signature_references', 'The signature covers the document and its own properties, nothing else.');
  }
  const [properties, whole] =
    first.getAttribute('Type') === SIGNED_PROPERTIES ? ([first, second] as const) : ([second, first] as const);
  // Tools of the Union write an empty Type for the document itself.
  const typed = whole.hasAttribute('Type') && whole.getAttribute('Type') !== '';
  if (properties.getAttribute('Type') !== SIGNED_PROPERTIES || typed) {
    throw refusedXml('signature_references', 'The signature does not cover its XAdES properties once.');
  }
  checkReference(whole, [ENVELOPED]);
  checkReference(properties, []);
  return { documentUri: uriOf(whole, root), propertiesUri: uriOf(properties, propertiesIn(objects)) };
}

/** The transforms before the canonical form are these, and no others. */
function checkReference(reference: Element, before: readonly string[]): void {
  const children = elementsOf(reference);
  const transforms = children.length === 3 ? elementsOf(children[0] ?? reference) : [];
  const [digest, value] = children.slice(-2);
  const named = children.length === 2 || is(children[0], 'Transforms');
  if (!named || !is(digest, 'DigestMethod') || !is(value, 'DigestValue')) {
    throw refusedXml('signature_malformed', 'A reference of the signature has not the parts it needs.');
  }
  if (!DIGESTS.has(algorithmOf(digest))) throw refusedAlgorithm(digest);
  const last = transforms[before.length];
  const fits = before.every((name, index) => algorithmOf(transforms[index] ?? reference) === name);
  const ends = last === undefined || CANONICAL_FORMS.has(algorithmOf(last));
  const plain = transforms.every((item) => is(item, 'Transform') && elementsOf(item).every(isPrefixList));
  if (!fits || !ends || !plain || transforms.length > before.length + 1) {
    throw refusedXml('signature_transform', 'The signature uses transforms that are not accepted.');
  }
}

function isPrefixList(element: Element): boolean {
  return element.namespaceURI === EXCLUSIVE && element.localName === 'InclusiveNamespaces';
}

/** A reference without URI leaves it to the reader what is meant. */
function uriOf(reference: Element, meant: Element): string {
  const uri = reference.getAttribute('URI');
  const whole = reference.hasAttribute('URI') && uri === '' && meant === meant.ownerDocument.documentElement;
  const id = ['Id', 'ID', 'id'].map((name) => meant.getAttribute(name)).find((value) => value !== null && value !== '');
  if (whole) return '';
  if (uri !== null && id !== undefined && uri === `#${id}`) return uri;
  throw refusedXml('signature_references', 'A reference of the signature means something else than it has to.');
}

function propertiesIn(objects: readonly Element[]): Element {
  const [qualifying, ...more] = objects.flatMap(elementsOf);
  const found =
    qualifying === undefined ? [] : elementsOf(qualifying).filter((item) => isXades(item, 'SignedProperties'));
  const [properties] = found;
  if (
    !isXades(qualifying, 'QualifyingProperties') ||
    more.length > 0 ||
    found.length !== 1 ||
    properties === undefined
  ) {
    throw refusedXml('signature_properties', 'The signature has no XAdES properties, or has them twice.');
  }
  return properties;
}

function isXades(element: Element | undefined, name: string): boolean {
  return element?.namespaceURI === XADES && element.localName === name;
}

function certificatesOf(keyInfo: Element): readonly string[] {
  const found = Array.from(keyInfo.getElementsByTagNameNS(DSIG, 'X509Certificate'));
  if (found.length > MAXIMUM_CERTIFICATES)
    throw refusedXml('xml_too_large', 'The signature has too many certificates.');
  return found.map((element) => (element.textContent ?? '').replaceAll(/\s/g, ''));
}
