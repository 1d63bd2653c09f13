/** What this hub calls itself towards people and in support bundles. */
export const HUB_SOFTWARE = "millrace-hub 0.1.0";
