/** The largest list of the Union has a few megabytes; verifying one of this size takes about half a minute on one core. */
export const MAXIMUM_XML_BYTES = 12 * 1024 * 1024;

/** An element of a document that was read: what is needed of it, and no way back into a parser. */
export interface XmlElement {
  readonly namespace: string;
  /** Without prefix. */
  readonly name: string;
  /** By their name as written, prefix included. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** The text directly inside, without the space around it. */
  readonly text: string;
}
