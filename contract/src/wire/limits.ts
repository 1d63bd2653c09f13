/** Limits both ends share. A change here is a change of the protocol. */
export const LIMITS = {
  /** Compressed block of one frame. */
  frameBodyBytesMax: 64 * 1024,
  /** A block after decompression, so that a small frame cannot become a large allocation. */
  blockRawBytesMax: 4 * 1024 * 1024,
  blockSamplesMax: 65_536,
  blockSeriesMax: 65_536,
  textBytesMax: 4_096,
  /** Consecutive frames of one stream sent and applied together. */
  envelopeBytesMax: 256 * 1024,
  envelopeFramesMax: 256,
  /** A JSON message gateway → hub. */
  uplinkTextBytesMax: 512 * 1024,
  /** A JSON message hub → gateway, bounded by the largest manifest. */
  downlinkTextBytesMax: 32 * 1024 * 1024,
  manifestTagsMax: 100_000,
  /** How long a sample may wait in memory before it is sealed: the window a power cut may cost. */
  sealMs: 250,
  /** Streams one gateway may have open at once. */
  streamsMax: 64,
  /** Frames a hub names to a gateway that went back in time. */
  knownFramesMax: 1_000_000,
  heartbeatMs: 10_000,
  /** No bytes received for so long means the link is dead. Looked at each second, so it is noticed within 25 s. */
  silenceMs: 24_000,
  helloMs: 10_000,
  creditBytesStart: 256 * 1024,
  creditBytesMax: 8 * 1024 * 1024,
  /** A test at a device, from the hub's question to the gateway's answer; the gateway gets a little less. */
  fieldMs: 10_000,
  fieldAnswerMs: 9_000,
  fieldTagsMax: 200,
  /** Groups of points read one after the other in one test. */
  fieldPartsMax: 4,
  /** Places of a device in one answer; the next page follows on request. */
  fieldNodesMax: 100,
  /** Registers a search looks at before and after an address. */
  fieldSpanMax: 48,
  /** The question of a test as JSON. */
  fieldRequestBytesMax: 256 * 1024,
  /** Texts a device holds are cut in the answer of a test. */
  fieldTextCharsMax: 250,
  /** One report of the bus doctor: connections in it, units of all of them together, causes and names of each. */
  busConnectionsMax: 100,
  busUnitsMax: 300,
  busFindingsMax: 20,
  busNamesMax: 8,
  busCodesMax: 12,
  /** Browser's live socket. */
  liveTagsMax: 5_000,
  liveTextBytesMax: 128 * 1024,
  apiBodyBytesMax: 1024 * 1024,
  pageRowsMax: 1_000,
  samplesRowsMax: 50_000,
} as const;
