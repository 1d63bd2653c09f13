import type { RetentionClass } from "@millrace/contract/api/retention";
import type { KeptClass } from "../../historian/retention/retention.ts";

export const mapClass = ({ name, rawDays, minuteDays, hourDays }: KeptClass): RetentionClass => ({
  name,
  rawDays,
  minuteDays,
  hourDays,
});
