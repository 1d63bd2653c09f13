// For gateways that tests start as processes of their own: `bun --preload`.
import { lendSecret } from "./lend-secret.ts";

lendSecret("password");
