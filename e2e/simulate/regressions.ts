/** A seed that once broke a promise, and what was wrong. It is played for ever. */
export interface Regression {
  seed: number;
  what: string;
}

export const REGRESSIONS: readonly Regression[] = [
  { seed: 85, what: "a restored hub and a new epoch together lost what both had" },
  { seed: 541, what: "the mark of a restored hub fell into a gap, and the next into what was left of it" },
  { seed: 606, what: "a hub was restored to before an epoch that it had begun" },
  { seed: 1110, what: "a rounding error woke the link without end" },
  { seed: 1303, what: "a gateway and then its hub were set back" },
  { seed: 1827, what: "frames waited for a full disk that had long been relieved" },
  { seed: 3089, what: "a renewal that was killed and begun again told a gap over what the hub had" },
  { seed: 20717, what: "a full disk let no frame go, and nobody asked again" },
  { seed: 20805, what: "a full disk let no frame go, and nobody asked again" },
  { seed: 32986, what: "a hello that was checked late passed for an old image, and soon for a clone" },
  { seed: 59203, what: "a hello that was checked late passed for an old image" },
  { seed: 59921, what: "a frame sealed while the outbox was asked for more waited for the next one" },
];
