import { isIP } from "node:net";
import { AsnConvert } from "@peculiar/asn1-schema";
import { GeneralName, GeneralSubtree, GeneralSubtrees, NameConstraints } from "@peculiar/asn1-x509";
import { Extension, X509Certificate } from "@peculiar/x509";

const NAME_CONSTRAINTS = "2.5.29.30";

/** Domains that mean nothing outside a plant: to sign for them harms nobody else. */
const PRIVATE_DOMAINS = ["localhost", "local", "internal", "lan", "home.arpa"];

/**
 * Bounds an authority to these host names, everything below them, and private domains (RFC 5280 4.2.1.10). People put it
 * among those their phones trust for the whole internet, so whoever steals its key must gain this plant alone.
 * Addresses stay free: the runtime of our gateways refuses certificates for an address under such a bound (measured).
 */
export function nameLimits(names: readonly string[]): Extension {
  const domains = [...PRIVATE_DOMAINS, ...names.filter((name) => isIP(name) === 0)];
  const permittedSubtrees = new GeneralSubtrees(
    domains.map((dNSName) => new GeneralSubtree({ base: new GeneralName({ dNSName }) })),
  );
  return new Extension(
    NAME_CONSTRAINTS,
    true,
    AsnConvert.serialize(new NameConstraints({ permittedSubtrees })),
  );
}

/** Names this authority may not sign for; none for one without bounds, as hubs before 0.2 made them. */
export function namesBeyond(authorityPem: string, names: readonly string[]): string[] {
  const found = new X509Certificate(authorityPem).getExtension(NAME_CONSTRAINTS);
  if (found === null) return [];
  const { permittedSubtrees = [] } = AsnConvert.parse(found.value, NameConstraints);
  const domains = [...permittedSubtrees].flatMap(({ base }) => base.dNSName ?? []);
  return names.filter(
    (name) => isIP(name) === 0 && !domains.some((domain) => name === domain || name.endsWith(`.${domain}`)),
  );
}
